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


class Tied(nn.Module):
    """Two layers with one weight, and a buffer of whole numbers."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.register_buffer("count", mt.tensor([1], dtype=mt.int8))


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("keys", [["a.weight", "b.weight"], ["a.weight"], ["b.weight"]])
def test_a_tied_weight_stays_tied_also_when_the_file_has_it_once_or_twice(tmp_path, assign, keys):
    mt.save({key: mt.full((2, 2), 3.0) for key in keys}, tmp_path / "file")
    net = Tied()
    net.load_state_dict(mt.load(tmp_path / "file"), strict=False, assign=assign)
    assert net.a.weight is net.b.weight and isinstance(net.a.weight, nn.Parameter) and (net.a.weight == 3).all()


@pytest.mark.parametrize("assign", [False, True])
def test_two_values_for_a_tied_weight_are_refused_and_nan_equals_nan(assign):
    net, nan = Tied(), mt.full((2, 2), float("nan"))
    with pytest.raises(RuntimeError, match=r"Tied was left unchanged:\n\t'b.weight': expected the values of the other name"):
        net.load_state_dict({**net.state_dict(), "a.weight": nan}, assign=assign)
    assert not net.a.weight.isnan().any()
    net.load_state_dict({**net.state_dict(), "a.weight": nan, "b.weight": nan.clone()}, assign=assign)
    assert net.b.weight.isnan().all()


def test_two_layers_are_exchanged():
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    one, two = net[0].weight.item(), net[1].weight.item()
    state = net.state_dict()
    net.load_state_dict({**state, "0.weight": state["1.weight"], "1.weight": state["0.weight"]})
    assert (net[0].weight.item(), net[1].weight.item()) == (two, one)


def test_whole_numbers_beyond_the_buffers_range_and_expanded_buffers_are_refused_before_anything_changes():
    net = Tied()
    net.load_state_dict({**net.state_dict(), "count": mt.tensor([127])})
    with pytest.raises(RuntimeError, match="'count': expected numbers of int8, got int64 beyond its range"):
        net.load_state_dict(
            {**net.state_dict(), "a.weight": mt.zeros(2, 2), "b.weight": mt.zeros(2, 2), "count": mt.tensor([300])}
        )
    net.register_buffer("wide", mt.zeros(1).expand(3))
    with pytest.raises(RuntimeError, match="'wide': an expanded tensor cannot be written to"):
        net.load_state_dict({**net.state_dict(), "a.weight": mt.zeros(2, 2), "b.weight": mt.zeros(2, 2)})
    assert net.count.item() == 127 and (net.a.weight != 0).all()
