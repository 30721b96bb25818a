"""Optimizers, clipping and batches against PyTorch's, option by option."""

import math

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.utils import data

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

RULES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3}),
    ("Adam", {"lr": 0.02, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "betas": (0.9, 0.5)}),
    ("Adam", {"lr": 0.02, "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3, "betas": (0.8, 0.95), "amsgrad": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.5, "eps": 1e-6}),
    ("Adagrad", {"lr": 0.02, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.01, "maximize": True}),
    ("Adamax", {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.02, "betas": (0.9, 0.5), "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.005, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.01}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.005, "centered": True, "alpha": 0.95}),
    ("RMSprop", {"lr": 0.002, "centered": True, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
]
every_rule = pytest.mark.parametrize("name, options", RULES, ids=[f"{name} {options}" for name, options in RULES])
SHAPES = [(6, 5), (6,), (6, 4), (4,)]


def twins(dtype, seed=0):
    """The same leaves in minitorch and in PyTorch."""
    rng = np.random.default_rng(seed)
    start = [rng.standard_normal(shape).astype(dtype) / 2 for shape in SHAPES]
    return (
        [mt.tensor(array, requires_grad=True) for array in start],
        [torch.from_numpy(array.copy()).requires_grad_() for array in start],
    )


def batches(dtype, steps, seed=1):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((8, 5)).astype(dtype), rng.standard_normal((8, 4)).astype(dtype)) for _ in range(steps)]


def train(optimizer, params, wrap, feed):
    """Steps of a small net with one hidden layer; the biases have no gradient in every third step."""
    for step, (x, y) in enumerate(feed):
        optimizer.zero_grad()
        w1, b1, w2, b2 = params
        hidden = (wrap(x) @ w1.T + b1).tanh()
        ((hidden @ w2 + b2 - wrap(y)) ** 2).mean().backward()
        if step % 3 == 2:
            b1.grad = b2.grad = None
        optimizer.step()


def distance(ours, theirs):
    return max(float(np.abs(p.array - q.detach().numpy()).max()) for p, q in zip(ours, theirs))


def to_torch(value):
    """A state dict with PyTorch's tensors for ours."""
    if isinstance(value, dict):
        return {key: to_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [to_torch(entry) for entry in value]
    return torch.from_numpy(value.array.copy()) if isinstance(value, mt.Tensor) else value


def from_torch(value):
    if isinstance(value, dict):
        return {key: from_torch(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [from_torch(entry) for entry in value]
    return mt.from_numpy(value.detach().numpy().copy()) if isinstance(value, torch.Tensor) else value


# ---- optimizers ----------------------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_a_hundred_steps_end_at_the_same_parameters(name, options, dtype, tolerance):
    ours, theirs = twins(dtype)
    feed = batches(dtype, 100)
    train(getattr(optim, name)(ours, **options), ours, mt.from_numpy, feed)
    train(getattr(torch.optim, name)(theirs, **options), theirs, torch.from_numpy, feed)
    assert all(p.dtype == dtype for p in ours)
    assert distance(ours, theirs) <= tolerance * max(1, max(float(q.detach().abs().max()) for q in theirs))


@every_rule
def test_signatures_and_defaults_are_pytorchs(name, options):
    ours, theirs = twins(np.float32)
    mine, reference = getattr(optim, name)(ours), getattr(torch.optim, name)(theirs)
    assert set(mine.defaults) <= set(reference.defaults)
    assert {key: reference.defaults[key] for key in mine.defaults} == mine.defaults
    switches = {"foreach", "fused", "capturable", "differentiable"}
    assert set(reference.defaults) - set(mine.defaults) <= switches


@every_rule
def test_state_dicts_have_pytorchs_keys_and_values(name, options):
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 20)
    mine, reference = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for steps in (0, 20):
        train(mine, ours, mt.from_numpy, feed[:steps])
        train(reference, theirs, torch.from_numpy, feed[:steps])
        found, wanted = mine.state_dict(), reference.state_dict()
        assert list(found["state"]) == list(wanted["state"])
        for number, state in wanted["state"].items():
            assert list(found["state"][number]) == list(state)
            for entry, value in state.items():
                assert found["state"][number][entry].dtype == value.numpy().dtype
                np.testing.assert_allclose(found["state"][number][entry].array, value.numpy(), rtol=1e-10, atol=1e-14)
        for group, expected in zip(found["param_groups"], wanted["param_groups"], strict=True):
            assert {key: expected[key] for key in group} == group


@every_rule
@pytest.mark.parametrize("there", [True, False], ids=["to PyTorch", "from PyTorch"])
def test_a_run_moves_between_the_two_and_goes_on(name, options, there):
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 40)
    mine, reference = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    train(mine, ours, mt.from_numpy, feed[:20])
    train(reference, theirs, torch.from_numpy, feed[:20])
    # options the new optimizer has not been told: they come with the state
    if there:
        moved = [torch.from_numpy(p.array.copy()).requires_grad_() for p in ours]
        other = getattr(torch.optim, name)(moved)
        other.load_state_dict(to_torch(mine.state_dict()))
        train(other, moved, torch.from_numpy, feed[20:])
        train(mine, ours, mt.from_numpy, feed[20:])
        assert distance(ours, moved) <= 1e-10
    else:
        moved = [mt.from_numpy(q.detach().numpy().copy()).requires_grad_() for q in theirs]
        other = getattr(optim, name)(moved)
        other.load_state_dict(from_torch(reference.state_dict()))
        train(other, moved, mt.from_numpy, feed[20:])
        train(reference, theirs, torch.from_numpy, feed[20:])
        assert distance(moved, theirs) <= 1e-10


def test_groups_with_options_of_their_own_agree():
    ours, theirs = twins(np.float64)
    feed = batches(np.float64, 50)

    def grouped(library, params):
        optimizer = library.Adam([{"params": params[:1], "lr": 0.03}, {"params": params[1:3], "weight_decay": 0.1}], lr=0.01)
        optimizer.add_param_group({"params": params[3], "betas": (0.5, 0.6)})
        return optimizer

    mine, reference = grouped(optim, ours), grouped(torch.optim, theirs)
    train(mine, ours, mt.from_numpy, feed)
    train(reference, theirs, torch.from_numpy, feed)
    assert distance(ours, theirs) <= 1e-10
    found, wanted = mine.state_dict()["param_groups"], reference.state_dict()["param_groups"]
    assert [group["params"] for group in found] == [group["params"] for group in wanted] == [[0], [1, 2], [3]]


def test_zeroed_gradients_go_on_with_momentum_as_pytorchs_do():
    ours, theirs = twins(np.float64)
    mine, reference = optim.SGD(ours, lr=0.1, momentum=0.9), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
    feed = batches(np.float64, 2)
    for optimizer, params, wrap in ((mine, ours, mt.from_numpy), (reference, theirs, torch.from_numpy)):
        train(optimizer, params, wrap, feed)
        for _ in range(3):
            optimizer.zero_grad(set_to_none=False)
            optimizer.step()
    assert distance(ours, theirs) <= 1e-12


# ---- clipping ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 2.5, 3, math.inf])
@pytest.mark.parametrize("most", [0.0, 0.5, 1e6])
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_clipping_by_norm_agrees(order, most, dtype, tolerance):
    ours, theirs = twins(dtype)
    rng = np.random.default_rng(2)
    for p, q in zip(ours[:-1], theirs):
        g = rng.standard_normal(p.shape).astype(dtype)
        p.grad, q.grad = mt.tensor(g), torch.from_numpy(g.copy())
    found = optim.clip_grad_norm_(ours, most, order)
    wanted = torch.nn.utils.clip_grad_norm_(theirs, most, order)
    assert found.item() == pytest.approx(wanted.item(), rel=tolerance)
    for p, q in zip(ours[:-1], theirs):
        np.testing.assert_allclose(p.grad.array, q.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_clipping_by_value_agrees():
    ours, theirs = twins(np.float32)
    for p, q in zip(ours, theirs):
        p.grad, q.grad = mt.tensor(p.array * 3), (q.detach() * 3).clone()
    optim.clip_grad_value_(ours, 0.4)
    torch.nn.utils.clip_grad_value_(theirs, 0.4)
    assert all(np.array_equal(p.grad.array, q.grad.numpy()) for p, q in zip(ours, theirs))


# ---- batches -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "samples",
    [
        [1, 2, 3],
        [1.5, 2.5],
        [True, False],
        [np.float32(1), np.float32(2)],
        [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)],
        [(1, 2.0), (3, 4.0)],
        [[np.int32(1), (1.0,)], [np.int32(2), (2.0,)]],
        [{"a": 1, "b": [1.0]}, {"a": 2, "b": [2.0]}],
    ],
    ids=str,
)
def test_samples_are_collated_into_the_same_dtypes_and_structure(samples):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *map(plain, value)]
        array = value.array if isinstance(value, mt.Tensor) else value.numpy()
        return str(array.dtype), array.tolist()

    assert plain(data.default_collate(samples)) == plain(torch.utils.data.default_collate(samples))


@pytest.mark.parametrize("count", [10, 101, 1000])
@pytest.mark.parametrize("lengths", [[0.5, 0.5], [0.7, 0.2, 0.1], [1 / 3] * 3, [0.33, 0.33, 0.34]])
def test_fractions_are_rounded_as_pytorch_rounds_them(count, lengths):
    ours = [len(part) for part in data.random_split(range(count), lengths)]
    assert ours == [len(part) for part in torch.utils.data.random_split(range(count), lengths)]
