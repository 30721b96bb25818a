"""A module's state: what `state_dict` gives and `load_state_dict` takes."""

import numpy as np
import pytest

import minitorch as mt
from tests.layers.nets import Net


def test_a_state_dict_shares_the_memory_and_has_no_history():
    net = Net()
    state = net.state_dict()
    assert np.shares_memory(state["scale"].array, net.scale.array)
    assert not state["scale"].requires_grad
    assert net.state_dict(keep_vars=True)["scale"] is net.scale


def test_a_state_dict_can_be_gathered_into_another():
    into = {"epoch": 3}
    assert Net().first.state_dict(destination=into, prefix="first.") is into
    assert list(into) == ["epoch", "first.weight", "first.bias"]


def test_loading_copies_into_the_memory_that_is_there():
    net, other = Net(), Net()
    arrays = [p.array for p in net.parameters()]
    report = net.load_state_dict(other.state_dict())
    assert report == ([], [])
    assert (report.missing_keys, report.unexpected_keys) == ([], [])
    assert all(p.array is array for p, array in zip(net.parameters(), arrays))
    with mt.no_grad():
        other.scale.fill_(7)
    assert net.scale.item() == 1


def test_loading_keeps_the_module_s_float_width():
    net, state = Net(), Net().double().state_dict()
    net.load_state_dict(state)
    assert net.scale.dtype == mt.float32
    np.testing.assert_allclose(net.first.weight.detach().numpy(), state["first.weight"].numpy(), rtol=1e-6)


def test_loading_between_forward_and_backward_is_caught():
    net = Net()
    loss = net(mt.randn(2, 3)).sum()
    net.load_state_dict(Net().state_dict())
    with pytest.raises(RuntimeError, match="changed in place by load_state_dict"):
        loss.backward()


def test_strict_loading_lists_every_problem_at_once_and_changes_nothing():
    net, state = Net(), Net().state_dict()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    del state["first.bias"], state["scale"]
    state.update(
        {
            "frist.bias": mt.zeros(4),
            "first.weight": mt.zeros(4, 5),
            "seen": mt.zeros(()),
            "second.weight": np.zeros((2, 4)),
        }
    )
    with pytest.raises(RuntimeError) as failure:
        net.load_state_dict(state)
    for part in (
        "Net was left unchanged",
        "missing key(s): 'scale', 'first.bias'",
        "unexpected key(s): 'frist.bias'",
        "'first.weight': expected shape (4, 3), got (4, 5)",
        "'seen': expected int64, got float32",
        "'second.weight': expected a Tensor, got ndarray",
    ):
        assert part in str(failure.value)
    assert all(mt.equal(value, before[key]) for key, value in net.state_dict().items())


def test_loading_that_is_not_strict_returns_what_did_not_match():
    net, other = Net(), Net()
    state = other.state_dict()
    del state["first.bias"]
    state["extra"] = mt.zeros(1)
    assert net.load_state_dict(state, strict=False) == (["first.bias"], ["extra"])
    assert mt.equal(net.first.weight, other.first.weight)


def test_loading_that_is_not_strict_still_refuses_a_wrong_shape():
    with pytest.raises(RuntimeError, match=r"'scale': expected shape \(1,\), got \(2,\)"):
        Net().load_state_dict({"scale": mt.zeros(2)}, strict=False)


def test_loading_with_assign_takes_the_tensors_themselves():
    net, state = Net(), Net().double().state_dict()
    net.first.bias.requires_grad_(False)
    net.load_state_dict(state, assign=True)
    assert net.scale.dtype == mt.float64
    assert all(np.shares_memory(value.array, state[key].array) for key, value in net.state_dict().items())
    assert [p.requires_grad for p in (net.first.weight, net.first.bias)] == [True, False]
    assert list(net.state_dict()) == list(state)


def test_loading_takes_a_dict_only():
    with pytest.raises(TypeError, match="expected a dict, got str"):
        Net().load_state_dict("net.safetensors")
