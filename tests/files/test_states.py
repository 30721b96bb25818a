"""States that come from elsewhere, or hold more than tensors: nothing of them is lost without a word."""

import pytest

import layers as nn
import minitorch as mt
from minitorch import optim


class Counting(nn.Module):
    """A module that keeps a number, which is no tensor."""

    def __init__(self, seen=0):
        super().__init__()
        self.weight, self.seen = nn.Parameter(mt.ones(1)), seen

    def get_extra_state(self):
        return {"seen": self.seen}

    def set_extra_state(self, state):
        self.seen = state["seen"]


def nested(seen):
    return nn.Sequential(nn.Linear(1, 1), nn.Sequential(Counting(seen)))


def test_extra_states_are_kept_under_pytorchs_keys_and_go_through_a_file(tmp_path):
    one, two = nested(5), nested(0)
    assert one.state_dict()["1.0._extra_state"] == {"seen": 5} and Counting(3).state_dict()["_extra_state"] == {"seen": 3}
    mt.save(one.state_dict(), tmp_path / "file")
    assert two.load_state_dict(mt.load(tmp_path / "file")) == ([], [])
    assert two[1][0].seen == 5


def test_a_missing_or_unexpected_extra_state_is_told_and_changes_nothing():
    state = nested(5).state_dict()
    del state["1.0._extra_state"]
    net = nested(1)
    with pytest.raises(RuntimeError, match=r"missing key\(s\): '1.0._extra_state'"):
        net.load_state_dict(state)
    assert net[1][0].seen == 1 and net.load_state_dict(state, strict=False).missing_keys == ["1.0._extra_state"]
    with pytest.raises(RuntimeError, match=r"unexpected key\(s\): '_extra_state'"):
        nn.Linear(1, 1).load_state_dict({**nn.Linear(1, 1).state_dict(), "_extra_state": 1})


def test_an_extra_state_that_cannot_be_taken_back_is_told():
    class OneWay(nn.Module):
        def get_extra_state(self):
            return 1

    with pytest.raises(RuntimeError, match=r"OneWay: .* set_extra_state is not written"):
        OneWay().load_state_dict(OneWay().state_dict())


@pytest.mark.parametrize(
    "rule, state",
    [
        (lambda p: optim.SGD(p, lr=1.0), {"momentum_buffer": None}),
        (lambda p: optim.SGD(p, lr=1.0, momentum=0.5), {"momentum_buffer": None}),
        (
            lambda p: optim.Adam(p, lr=1.0),
            {"step": 1, "exp_avg": mt.zeros(1), "exp_avg_sq": mt.zeros(1), "max_exp_avg_sq": None},
        ),
        (lambda p: optim.RMSprop(p, lr=1.0), {"step": 1, "square_avg": mt.zeros(1), "momentum_buffer": None, "grad_avg": None}),
    ],
)
def test_none_in_the_state_of_an_older_pytorch_is_a_buffer_not_made_yet(rule, state):
    p = nn.Parameter(mt.ones(1))
    optimizer = rule([p])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: state}})
    p.sum().backward()
    optimizer.step()
    assert mt.isfinite(p).all() and p.item() < 1
