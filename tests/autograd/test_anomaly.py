"""Anomaly mode: the first NaN or infinity, and an array changed behind the tape's back, are raised with the line to look at."""

import contextlib
import threading
from pathlib import Path

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch import functional as F
from minitorch.autograd import Function, detect_anomaly, grad, set_detect_anomaly
from minitorch.autograd.anomaly import _held
from minitorch.autograd.node import Leaf, Node
from tests.autograd.refusals import leaf, refused
from tests.op_table import every_case
from tests.op_table.checks import assert_all_close, moving, pulled

# ---- forward -------------------------------------------------------------------------------------------------------------


def test_the_first_operation_that_makes_nan_is_named_with_its_shapes_and_the_line():
    x = leaf(4.0, -1.0, 9.0)
    with (
        detect_anomaly(),
        refused(
            "sqrt: its output, of shape (3,) float32, holds nan (1 of 3 elements, the first at [1])",
            "Its inputs were (3,) float32.",
            "root = (x * 1.0).sqrt()  # the first nan",
        ),
    ):
        root = (x * 1.0).sqrt()  # the first nan
        (root * 2).sum()


@pytest.mark.parametrize(
    "name, function, value",
    [
        ("exp", lambda x: (x * 1000).exp(), "inf"),
        ("div", lambda x: x / 0, "inf"),
        ("log", lambda x: (x - x).log(), "-inf"),
        ("pow", lambda x: (x - x) ** -1, "inf"),
        ("mul", lambda x: (x * 1e38) * 1e38, "inf"),
        ("sub", lambda x: x / mt.tensor(np.inf) + mt.tensor(np.inf) - mt.tensor(np.inf), "nan"),
        ("div", lambda x: x.var(), "nan"),
        ("mul", lambda x: x * float("nan"), "nan"),
        ("to", lambda x: (x * 1e38).half(), "inf"),
    ],
    ids=["exp", "1/0", "log 0", "0^-1", "1e76", "inf-inf", "var of one", "a plain nan", "half"],
)
def test_nan_and_infinities_are_found_instead_of_a_warning_of_numpys(name, function, value):
    for x in (leaf(1.0), mt.tensor([1.0])):
        with detect_anomaly(), refused(f"{name}: its output, of shape", f"holds {value}", "which no input tensor held"):
            function(x)


def test_operations_that_are_not_recorded_are_checked_as_well():
    with detect_anomaly(), mt.no_grad(), refused("log: its output", "leaf(-1.0).log()  # under no_grad"):
        leaf(-1.0).log()  # under no_grad


def test_the_line_is_the_users_and_not_one_of_the_layers():
    net = nn.Sequential(nn.Linear(2, 3), nn.Softplus(), nn.Linear(3, 1))
    with mt.no_grad():
        net[0].weight.fill_(1.0)
        net[2].weight.fill_(1e38)
    with (
        detect_anomaly(),
        refused(
            "linear: its output, of shape (4, 1) float32",
            "(4, 3) float32, (1, 3) float32, (1,) float32",
            "net(mt.full((4, 2), 1e3))  # a whole net",
        ),
    ):
        net(mt.full((4, 2), 1e3))  # a whole net


def test_the_line_lies_within_the_users_own_module():
    class Ratio(nn.Module):
        def forward(self, x):
            return x / (x - x)  # in a module

    with detect_anomaly(), refused("div: its output", "return x / (x - x)  # in a module"):
        nn.Sequential(nn.Linear(2, 2), Ratio())(mt.ones(1, 2))


def test_each_of_several_outputs_is_checked():
    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, mt.tensor(1 / (x.detach().numpy() - 1))

    with (
        detect_anomaly(),
        refused(
            "Both: its output, of shape (2,) float32, holds inf (1 of 2 elements, the first at [0])",
            "Both.apply(leaf(1.0, 2.0))  # two outputs",
        ),
    ):
        Both.apply(leaf(1.0, 2.0))  # two outputs


def test_within_a_users_function_the_line_is_that_of_the_operation():
    class Root(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sqrt()  # within a Function

    with detect_anomaly(), refused("sqrt: its output", "return x.sqrt()  # within a Function"):
        Root.apply(leaf(-1.0))


def test_a_mask_of_infinities_is_deliberate_but_a_softmax_over_nothing_else_is_not():
    scores = leaf(1.0, 2.0, 3.0)
    with detect_anomaly():
        some = scores.masked_fill(mt.tensor([True, False, False]), -np.inf)
        (some.softmax(0) * mt.tensor([1.0, 2.0, 3.0])).sum().backward()
        nothing = scores.masked_fill(mt.tensor([True, True, True]), -np.inf)
        with refused("softmax: its output, of shape (3,) float32, holds nan (3 of 3", "nothing.softmax(0)  # all masked"):
            nothing.softmax(0)  # all masked
    assert np.isfinite(scores.grad.array).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.max(),
        lambda x: x.amax(0),
        lambda x: x.logsumexp(0),
        lambda x: x.sum(),
        lambda x: x * 2,
        lambda x: F.relu(-x),
        lambda x: x.clamp(0.0, np.inf),
        lambda x: mt.where(x > 0, x, -np.inf),
        lambda x: x.fill_(np.inf) * 2,
        lambda x: x.exp(),
        lambda x: F.softplus(x, threshold=np.inf),
        lambda x: mt.where(x == -np.inf, np.nan_to_num(-np.inf), x).log_softmax(0),
    ],
    ids=["max", "amax", "logsumexp", "sum", "mul", "relu", "clamp", "where", "fill_", "exp", "softplus", "log_softmax"],
)
def test_infinities_that_the_user_put_in_are_his_own(function):
    with detect_anomaly():
        function(mt.tensor([1.0, -np.inf, 2.0]))


def test_nan_that_the_user_put_in_is_his_own_until_it_spoils_a_gradient():
    data, w = mt.tensor([1.0, np.nan, 3.0]), leaf(1.0, 1.0, 1.0)
    with detect_anomaly():
        mt.where(data.isnan(), 0.0, data * w.detach()).sum()
        loss = (data * w).sum()  # data with nan in it
        with refused(
            "mul.backward: the gradient of input 1, of shape (3,) float32, holds nan (1 of 3 elements, the first at [1])",
            "computed from an array of shape (3,) that held nan (1 of 3 elements, the first at [1]) in the forward pass",
            "loss = (data * w).sum()  # data with nan in it",
        ):
            loss.backward()


# ---- backward ------------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_gives_an_infinite_gradient_is_named_with_the_line_of_its_forward():
    x = leaf([0.0, 4.0])
    with detect_anomaly():
        root = x.sqrt()  # finite as yet
        loss = (root * 3).sum()
        with refused(
            "sqrt.backward: the gradient of input 0, of shape (1, 2) float32, holds inf (1 of 2 elements, the first at [0, 0]).",
            "Its inputs were (1, 2) float32.",
            "root = x.sqrt()  # finite as yet",
        ):
            loss.backward()


def test_nan_of_zero_times_infinity_is_found_behind_a_where():
    x = leaf(0.0, 4.0)
    with detect_anomaly():
        safe = mt.where(x > 0, x.sqrt(), 0.0)  # the classic trap
        with refused(
            "sqrt.backward: the gradient of input 0",
            "holds nan (1 of 2",
            "safe = mt.where(x > 0, x.sqrt(), 0.0)  # the classic trap",
        ):
            safe.sum().backward()


def test_the_position_of_the_input_is_given():
    large, small = leaf(1e30), leaf(1e-30)
    with detect_anomaly(), refused("mul.backward: the gradient of input 1, of shape (1,) float32, holds inf"):
        (large * small).backward(mt.tensor([1e30]))


def test_what_a_rule_drops_on_its_way_is_no_fault():
    x = leaf(0.0, 0.0)
    with detect_anomaly():
        (x.norm() + x.std() + x.norm(3)).backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_a_gradient_that_nobody_wants_is_not_judged():
    x, w = mt.tensor([np.inf, 1.0]), leaf(1.0, 0.0)
    with detect_anomaly():
        ((x - 1).clamp(0.0, 5.0) * w).sum().backward()
    assert w.grad.tolist() == [5.0, 0.0]


def test_a_rule_of_a_users_function_is_judged_as_ours_are():
    class Half(Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * 0.5

        @staticmethod
        def backward(ctx, g):
            return g / (g - g), None

    with detect_anomaly():
        y = Half.apply(leaf(1.0, 2.0), 7)  # a user's
        with refused(
            "Half.backward: the gradient of input 0, of shape (2,) float32, holds inf",
            "inputs were (2,) float32, 7.",
            "y = Half.apply(leaf(1.0, 2.0), 7)  # a user's",
        ):
            y.sum().backward()


def test_a_second_derivative_names_both_lines():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = (x**1.5).sum()  # its slope is finite at 0
        (slope,) = grad(y, x, create_graph=True)  # its curvature is not
        with refused(
            "holds inf (1 of 2",
            "within the backward of pow",
            "y = (x**1.5).sum()  # its slope is finite at 0",
            "(slope,) = grad(y, x, create_graph=True)  # its curvature is not",
        ):
            slope.sum().backward()


def test_a_first_derivative_on_the_tape_is_judged_as_one_off_it():
    x = leaf(0.0)
    with detect_anomaly(), refused("sqrt.backward: the gradient of input 0", "grad(x.sqrt(), x, create_graph=True)  # tensors"):
        grad(x.sqrt(), x, create_graph=True)  # tensors


def test_a_gradient_given_by_the_caller_or_a_hook_is_judged():
    def spoil(g):
        return mt.tensor(g.numpy() / 0)

    x = leaf(1.0, 2.0)
    with detect_anomaly():
        with refused("backward: the gradient given, of shape (2,) float32, holds inf (1 of 2 elements, the first at [1])"):
            (x * 2).backward(mt.tensor([1.0, np.inf]))
        x.register_hook(spoil)
        with refused("spoil: the gradient it returned, of shape (2,) float32, holds inf"):
            (x * 2).sum().backward()


def test_finite_gradients_that_add_up_to_infinity_are_found():
    x = leaf(1e-4)
    with detect_anomaly():
        hidden = x * 1e-4  # shared
        loss = hidden * 2e38 + hidden * 2e38
        with refused(
            "backward: the sum of the gradients of the output of mul, of shape (1,) float32, holds inf",
            "hidden = x * 1e-4  # shared",
        ):
            loss.backward(retain_graph=True)
        with refused("add: its output, of shape (1,) float32, holds inf", "loss.backward(create_graph=True)  # a recorded sum"):
            loss.backward(create_graph=True)  # a recorded sum


@pytest.mark.parametrize("hooked", [False, True])
def test_finite_gradients_that_add_up_to_infinity_at_a_leaf_are_found_in_one_pass_and_in_several(hooked):
    x, y, z = leaf(1e-4), leaf(1e-4), leaf(1e-4)
    if hooked:
        x.register_hook(lambda g: None)
    with detect_anomaly():
        with refused("backward: the sum of the gradients of a leaf, of shape (1,) float32, holds inf"):
            (x * 2e38 + x * 2e38).backward()
        (y * 2e38).backward()
        with refused("backward: the sum of the gradients of a leaf, of shape (1,) float32, holds inf"):
            (y * 2e38).backward()
        with refused("backward: the sum of the gradients of a leaf, of shape (1,) float32, holds inf"):
            grad(z * 2e38 + z * 2e38, z)


def test_a_gradient_that_overflows_when_it_is_cast_or_summed_over_what_was_broadcast_is_found():
    small, many = leaf(1.0, dtype=mt.float16), mt.full((3,), 4e4, dtype=mt.float16)
    with detect_anomaly():
        y = small * many * 1e-1  # broadcast
        with refused(
            "mul.backward: a gradient summed or cast to fit its input, of shape (1,) float16, holds inf",
            "y = small * many * 1e-1  # broadcast",
        ):
            y.float().backward(mt.full((3,), 10.0))


def test_a_forward_pass_outside_the_mode_is_blamed_without_its_line():
    y = leaf(0.0).sqrt()
    with (
        detect_anomaly(),
        refused("sqrt.backward: the gradient of input 0", "Its output was of shape (1,).", "recorded outside anomaly mode"),
    ):
        y.backward()


def test_operations_of_several_outputs_are_traced_to_their_line():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            return x[:1] * 1, x[1:] * 1

        @staticmethod
        def backward(ctx, first, second):
            return mt.cat([first * np.inf, second])

    with detect_anomaly():
        first, second = Split.apply(leaf(1.0, 2.0))  # in two
        with refused("Split.backward: the gradient of input 0", "first, second = Split.apply(leaf(1.0, 2.0))  # in two"):
            (first + second).backward()
        third, _ = Split.apply(leaf(1e-4, 2.0))  # too much
        with refused(
            "the sum of the gradients of the output of Split, of shape (1,)",
            "third, _ = Split.apply(leaf(1e-4, 2.0))  # too much",
        ):
            (third * 2e38 + third * 2e38).backward()


def test_check_nan_may_be_left_out():
    x = leaf(0.0, -1.0)
    with detect_anomaly(check_nan=False):
        assert not mt.is_anomaly_check_nan_enabled()
        y = x.sqrt()  # unchecked
        y.sum().backward()
        z = (x * x).sum()
        x.array[...] = 5.0
        with refused("mul: input 1 of shape (2,) float32, which its backward reads, was changed"):
            z.backward()


# ---- on either device, and whichever the operation ---------------------------------------------------------------------------


def test_on_either_device_all_three_are_found(device):
    x, w = (mt.tensor(values, device=device, requires_grad=True) for values in ([[0.0, -1.0]], [[2.0, 1.0]]))
    with detect_anomaly():
        with refused("sqrt: its output, of shape (1, 2) float32, holds nan (1 of 2 elements, the first at [0, 1])"):
            x.sqrt()
        root = x[0, 0].sqrt()  # on a device
        with refused(
            "sqrt.backward: the gradient of input 0, of shape () float32, holds inf.", "root = x[0, 0].sqrt()  # on a device"
        ):
            root.backward()
        y = (x * w).sum()
        w.array[0, 1] = 3.0
        with refused("mul: input 1 of shape (1, 2) float32, which its backward reads, was changed"):
            y.backward()


def tape(tensors):
    """Every operation that `tensors` were made by."""
    found, stack = set(), [tensor.grad_fn for tensor in tensors if tensor is not None and tensor.grad_fn is not None]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in found:
            found.add(node)
            stack.extend(node.edges)
    return sorted((node for node in found if type(node) is not Leaf), key=lambda node: node.number)


def passes(row, case):
    """Values, first and second derivatives of a case, and all inputs."""
    mt.manual_seed(0)
    inputs = row.inputs(case)
    values = row(case, inputs)
    first = pulled(values, moving(inputs), 8, create_graph=True)
    return values, first, pulled(first, moving(inputs), 9)


@every_case
def test_every_operation_gives_the_same_in_the_mode_or_is_refused_where_it_gives_nan_or_infinities(row, case):
    with np.errstate(all="ignore"):
        plain = passes(row, case)
    finite = all(
        np.isfinite(tensor.array).all()
        for part in plain
        for tensor in part
        if tensor is not None and tensor.is_floating_point()
    )
    if not finite:
        with detect_anomaly(), refused("holds"):
            passes(row, case)
        return
    with detect_anomaly():
        watched = passes(row, case)
    for ours, expected in zip(watched, plain):
        assert_all_close(ours, expected, 0.0)


def test_a_net_trains_in_the_mode_to_the_same_weights(device):
    def trained():
        mt.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 3)
        ).to(device)
        optimizer = mt.optim.Adam(net.parameters(), lr=0.01)
        x, labels = mt.randn(6, 1, 8, 8, device=device), mt.tensor([0, 1, 2, 2, 1, 0], device=device)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(net(x), labels).backward()
            optimizer.step()
        return net.state_dict()

    plain = trained()
    with detect_anomaly():
        watched = trained()
    for name, values in plain.items():
        np.testing.assert_array_equal(watched[name].cpu().numpy(), values.cpu().numpy(), name)


@every_case
def test_every_operation_remembers_the_line_in_the_mode_and_nothing_outside_it(row, case):
    with detect_anomaly(check_nan=False):
        values = row(case, row.inputs(case))
    for node in tape(values):
        assert Path(node._origin.frame.filename).is_relative_to(Path(__file__).parents[1]) and node._origin.frame.line
    for node in tape(row(case, row.inputs(case))):
        assert node._origin is None and "_origin" not in vars(node)


@every_case
def test_every_array_that_any_operation_keeps_is_watched(row, case):
    def run(position):
        """Change one of the arrays kept through NumPy, then go back; whether there was one to change."""
        mt.manual_seed(0)
        inputs = row.inputs(case)
        values = row(case, inputs)
        kept = [array for node in tape(values) for _, array in _held(node)]
        if position >= len(kept):
            return False
        array = kept[position]
        if array.size and array.flags.writeable:
            array[...] = ~array if array.dtype.kind == "b" else array + 1
            with refused("which its backward reads, was changed between the forward and the backward pass"):
                pulled(values, moving(inputs), 8)
        return True

    position = 0
    with detect_anomaly(check_nan=False):
        while run(position):
            position += 1


# ---- the switch ----------------------------------------------------------------------------------------------------------


def test_the_mode_is_off_by_default_and_on_within_the_block():
    assert not mt.is_anomaly_enabled() and mt.is_anomaly_check_nan_enabled()
    with detect_anomaly():
        assert mt.is_anomaly_enabled() and mt.is_anomaly_check_nan_enabled()
        with set_detect_anomaly(False):
            assert not mt.is_anomaly_enabled()
        assert mt.is_anomaly_enabled()
    assert not mt.is_anomaly_enabled()


def test_outside_the_mode_nan_passes_as_ever():
    with np.errstate(all="ignore"):
        y = leaf(-1.0).sqrt()
        y.backward()
    assert np.isnan(y.item())


def test_set_detect_anomaly_is_a_switch():
    set_detect_anomaly(True, check_nan=False)
    assert mt.is_anomaly_enabled() and not mt.is_anomaly_check_nan_enabled()
    set_detect_anomaly(False)
    assert not mt.is_anomaly_enabled()


@pytest.mark.parametrize(
    "decorator",
    [
        detect_anomaly,
        lambda f: detect_anomaly()(f),
        lambda f: detect_anomaly(check_nan=True)(f),
        lambda f: set_detect_anomaly(True)(f),
    ],
    ids=["bare", "()", "check_nan", "set"],
)
def test_a_function_may_be_decorated(decorator):
    @decorator
    def documented(factor):
        """What it says."""
        return mt.is_anomaly_enabled(), factor

    assert not mt.is_anomaly_enabled()
    assert documented(3) == (True, 3) and documented.__doc__ == "What it says."
    assert not mt.is_anomaly_enabled()


@pytest.mark.parametrize("block", [detect_anomaly, lambda: set_detect_anomaly(True)])
def test_the_mode_comes_back_after_an_exception(block):
    for _ in range(2):
        with pytest.raises(KeyError), block():
            raise KeyError
        assert not mt.is_anomaly_enabled()


@pytest.mark.parametrize(
    "fault",
    [
        lambda: leaf(-1.0).sqrt(),
        lambda: leaf(0.0).sqrt().backward(),
        lambda: mt.ones(2) + mt.ones(3),
    ],
    ids=["forward", "backward", "shapes"],
)
def test_a_fault_leaves_the_mode_as_it_was(fault):
    with detect_anomaly():
        with pytest.raises((RuntimeError, ValueError)):
            fault()
        with refused("log: its output"):
            leaf(-1.0).log()


def test_each_thread_has_a_mode_of_its_own():
    def elsewhere(found):
        found.append(mt.is_anomaly_enabled())
        with detect_anomaly(), pytest.raises(RuntimeError, match="in elsewhere\n    leaf"):
            leaf(-1.0).sqrt()

    for block in (detect_anomaly(), contextlib.nullcontext()):
        found = []
        with block:
            before = mt.is_anomaly_enabled()
            thread = threading.Thread(target=elsewhere, args=(found,))
            thread.start()
            thread.join()
            assert found == [False] and mt.is_anomaly_enabled() == before
