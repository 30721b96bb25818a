"""Arrays changed between the forward and the backward pass: anomaly mode names the change and the line."""

import numpy as np
import pytest

import minitorch as mt
from minitorch import functional as F
from minitorch.autograd import Function, detect_anomaly, grad, set_detect_anomaly
from tests.autograd.refusals import leaf, refused

# ---- arrays changed between the two passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "memory",
    [
        lambda w: w.array,
        lambda w: w.detach().numpy(),
        lambda w: w[:1].array,
        lambda w: w.array.T,
        lambda w: w.data.array,
        lambda w: np.asarray(w.detach()).reshape(-1),
    ],
    ids=["array", "numpy", "slice", "transpose", "data", "reshape"],
)
def test_a_change_through_numpy_is_caught_and_named(memory):
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    with detect_anomaly():
        y = x * w  # reads both
        memory(w)[0] = 7.0
        with refused(
            "mul: input 1 of shape (1, 2) float32, which its backward reads, was changed between the forward and",
            "Its inputs were (1, 2) float32, (1, 2) float32.",
            "y = x * w  # reads both",
        ):
            y.sum().backward()


@pytest.mark.parametrize("x", [leaf(0.5, 1.0), mt.tensor(0.5, requires_grad=True)], ids=["(2,)", "()"])
def test_a_change_of_an_output_is_caught(x):
    with detect_anomaly():
        y = x.exp()  # saves its output
        y.array[...] = 7.0
        with refused(
            f"exp: its output of shape {tuple(x.shape)} float32, which its backward reads", "y = x.exp()  # saves its output"
        ):
            y.sum().backward()


def test_the_smallest_change_of_one_element_is_caught():
    for dtype in (mt.float16, mt.float32, mt.float64):
        x = mt.randn(1000, dtype=dtype, requires_grad=True)
        with detect_anomaly():
            y = (x * x).sum()
            x.array[617] = np.nextafter(x.array[617], x.array[617] * 2)
            with refused("mul: input 1 of shape (1000,)"):
                y.backward()


@pytest.mark.parametrize(
    "look_up",
    [
        lambda table, index: table[index],
        lambda table, index: F.embedding(index, table),
        lambda table, index: table.index_select(0, index),
        lambda table, index: table.gather(0, index[:, None]),
        lambda table, index: F.cross_entropy(table[:2], index),
    ],
    ids=["getitem", "embedding", "index_select", "gather", "cross_entropy"],
)
def test_a_change_of_integers_is_caught(look_up):
    table, index = mt.ones(3, 3, requires_grad=True), mt.tensor([0, 2])
    with detect_anomaly():
        y = look_up(table, index)
        index.array[1] = 1
        with refused("of shape (2", " int64, which its backward reads, was changed"):
            y.sum().backward()


@pytest.mark.parametrize(
    "keep",
    [
        lambda ctx, x: ctx.save_for_backward(x),
        lambda ctx, x: setattr(ctx, "kept", x),
        lambda ctx, x: setattr(ctx, "kept", x.array),
        lambda ctx, x: setattr(ctx, "kept", [x, 1]),
        lambda ctx, x: setattr(ctx, "kept", {"x": (x.array,)}),
    ],
    ids=["save_for_backward", "tensor", "array", "list", "dict"],
)
@pytest.mark.parametrize("mode", [True, False], ids=["NumPy, in the mode", "own method, outside it"])
def test_whatever_a_users_function_keeps_is_watched(keep, mode):
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            keep(ctx, x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise AssertionError("not reached")

    x = leaf(1.0, 2.0)
    with set_detect_anomaly(mode):
        y = Double.apply(x)
        if mode:
            x.array[0] = 7.0
        else:
            x.detach().mul_(2.0)
        with refused("Double: ", "of shape (2,)", "was changed"):
            y.sum().backward()


def test_a_tensor_whose_memory_was_replaced_is_caught_in_a_users_function():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x.detach() ** 2

        @staticmethod
        def backward(ctx, g):
            return g * 2 * ctx.x.detach()

    x = leaf(3.0)
    y = Square.apply(x)
    x.data = mt.tensor([7.0])
    with refused("Square: an array of shape (1,)", "an assignment to .data"):
        y.backward()


def test_a_users_function_may_replace_what_it_kept():
    class Count(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.seen = mt.zeros(1)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            ctx.seen = ctx.seen + 1
            return g * 2 * ctx.seen

    x = leaf(3.0)
    with detect_anomaly():
        y = Count.apply(x)
        y.backward(retain_graph=True)
        y.backward()
    assert x.grad.tolist() == [2.0 + 4.0]


def test_a_change_that_no_rule_would_read_passes():
    x, y = leaf(1.0), leaf(2.0)
    with detect_anomaly():
        z = x + y * 3
        x.array[0] = y.array[0] = 9.0
        z.backward()
        w = x * y
        w.backward()
        x.array[0] = 1.0
    assert x.grad.tolist() == [10.0] and y.grad.tolist() == [12.0]


def test_a_change_between_two_passes_over_one_graph_is_caught():
    x = leaf(1.0)
    with detect_anomaly():
        y = x * x
        y.backward(retain_graph=True)
        x.array[0] = 2.0
        with refused("mul: input 1 of shape (1,)"):
            y.backward()


def test_a_change_before_the_second_derivative_is_caught_whichever_rule_would_read_it():
    x = leaf(2.0)
    with detect_anomaly():
        y = x * x * x
        (slope,) = grad(y, x, create_graph=True)  # reads x again
        x.array[0] = 5.0
        with refused("mul: ", "was changed between", "(slope,) = grad(y, x, create_graph=True)  # reads x again"):
            slope.backward()


def test_a_change_by_a_method_of_the_tensors_own_is_named_by_it_and_its_line_too():
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = x * x  # and then changed
        x.detach().add_(1.0)
        with refused("mul: an array of shape (2,)", "changed in place by add_", "y = x * x  # and then changed"):
            y.sum().backward()


def test_a_graph_that_was_freed_is_still_said_to_be():
    with detect_anomaly():
        y = leaf(1.0).exp()
        y.backward()
        with pytest.raises(RuntimeError, match="exp: an earlier backward went through this graph and freed it"):
            y.backward()


def test_hooks_work_in_the_mode():
    x, seen = leaf(1.0), []
    with detect_anomaly():
        h = x * 2
        h.register_hook(lambda g: seen.append(g.item()) or g * 3)
        (h * h).backward()
    assert seen == [4.0] and x.grad.tolist() == [24.0]
