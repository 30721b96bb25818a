"""Changes in place through views and beside them: part of the computation, seen by every tensor that shares the memory."""

import gc
import inspect
import weakref

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch import functional as F
from minitorch.autograd.gradcheck import gradcheck, gradgradcheck


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def through_a_row(x, y):
    h = (x * y).view(1, 3)
    h[0].mul_(y)
    return h * h


def through_two_views(x, y):
    h = mt.stack([x, y])
    h.t()[1].mul_(x[:2])
    h.view(-1)[2:4] *= y[1:]
    return h * x


def beside_a_view(x, y):
    h = x * 2
    part = h[1:]
    h *= y
    return part * h[:2]


def a_view_of_a_view(x, y):
    h = x * y
    v = h[1:]
    w = v[:1]
    w.add_(x[0] ** 2)
    v.mul_(y[:2])
    return h * w


def a_running_sum(x, y):
    out = mt.zeros(4, dtype=mt.float64)
    for i in range(3):
        out[i + 1] = out[i] + x[i] * y[i]
    return out * out


@pytest.mark.parametrize("function", [through_a_row, through_two_views, beside_a_view, a_view_of_a_view, a_running_sum])
def test_writes_have_right_first_and_second_gradients(function):
    x, y = leaf(0.7, -1.3, 0.4), leaf(1.1, 0.6, 1.9)
    assert gradcheck(function, (x, y))
    assert gradgradcheck(function, (x, y))


def test_a_view_of_a_buffer_gets_the_history_of_what_is_written_into_the_buffer():
    w, out = leaf(2.0), mt.zeros(2, dtype=mt.float64)
    view = out[:1]
    assert not view.requires_grad
    out += w
    assert view.requires_grad and not view.is_leaf
    view.sum().backward()
    assert w.grad.tolist() == [1.0]


def test_a_constant_written_through_a_view_ends_the_history_there():
    x = leaf(1.0, 2.0, 3.0)
    h = x * 2
    h[1:].zero_()
    h.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_what_used_a_view_before_the_write_keeps_its_history():
    x = leaf(1.0, 2.0)
    h = x * 2
    before = h[:1] + 1.0
    h.mul_(10.0)
    (before.sum() + h.sum()).backward()
    assert x.grad.tolist() == [22.0, 20.0]


@pytest.mark.parametrize("write", [lambda v: v.mul_(10.0), lambda v: v.zero_(), lambda v: v.__setitem__(0, 1.0)])
def test_a_view_made_under_no_grad_is_not_written_where_it_would_have_to_be_recorded(write):
    h = leaf(1.0, 2.0) * 2
    with mt.no_grad():
        view = h.view(-1)
    with pytest.raises(RuntimeError, match=r"a view that was made under no_grad\(\).*clone\(\)"):
        write(view)
    with mt.no_grad():
        write(view)


def test_a_view_of_a_leaf_is_written_under_no_grad_only():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"a view of a leaf of shape .* that requires a gradient"):
        x[0] *= 2.0
    with mt.no_grad():
        x[0] *= 2.0
    assert x.tolist() == [2.0, 2.0]


def test_retain_grad_follows_a_view():
    x = leaf(1.0, 2.0)
    h = x * 2
    view = h[:1]
    view.retain_grad()
    h *= 3.0
    (view * 5).sum().backward()
    assert view.grad.tolist() == [5.0] and x.grad.tolist() == [30.0, 0.0]


def test_a_tensor_transposed_in_place_is_still_seen_by_its_old_views_or_they_are_refused():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    h = (x * 2).view(2, 2) * 1.0
    row = h[0]
    h.t_()
    h *= 2.0
    h.sum().backward()
    assert x.grad.tolist() == [4.0] * 4 and row.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="whose base has been replaced since"):
        row.mul_(2.0)


def test_views_make_no_cycle():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        h = x * 2
        view = h[1:]
        view.mul_(x[1:])
        h.add_(1.0)
        gone = [weakref.ref(thing) for thing in (h, view, h.grad_fn, view.grad_fn)]
        del h, view
        assert [each() for each in gone] == [None] * 4
    finally:
        gc.enable()


# ---- images, which lie channels-last in memory ---------------------------------------------------------------------------


def image():
    return F.conv2d(mt.ones(2, 1, 4, 4), mt.ones(3, 1, 2, 2, requires_grad=True))


@pytest.mark.parametrize(
    "make", [lambda y: y.view(2, -1), lambda y: y.reshape(2, 27), lambda y: y.flatten(1), lambda y: y[0].view(-1)]
)
def test_a_copy_that_is_a_view_in_pytorch_forbids_later_writes_to_either(make):
    y = image()
    copy = make(y)
    for tensor in (y, y[0], copy, copy[:1], y.detach()):
        with pytest.raises(RuntimeError, match=r"add_: .* channels-last .* clone\(\)"):
            tensor.add_(1.0)
    y.clone().add_(1.0)
    copy.clone().add_(1.0)
    del tensor, copy
    y.add_(1.0)


def test_once_the_image_is_gone_its_copy_may_be_written():
    flat = image().detach().view(2, -1)
    flat += 1.0
    assert flat[0, 0].item() == 5.0


def test_a_view_that_is_a_copy_in_pytorch_forbids_writes_too():
    y = image()
    rows = y.permute(0, 2, 3, 1).reshape(-1, 3)
    for tensor in (rows, y):
        with pytest.raises(RuntimeError, match="channels-last"):
            tensor.mul_(2.0)
    with pytest.raises(RuntimeError, match=r"view: no view of shape \(18, 3\)"):
        y.permute(0, 2, 3, 1).view(-1, 3)


def test_an_image_is_contiguous_as_in_pytorch():
    y = image()
    assert y.is_contiguous() and y.stride() == (27, 9, 3, 1) and y.contiguous() is y
    assert y.is_contiguous(memory_format=mt.contiguous_format) and y.is_contiguous(memory_format=mt.channels_last)
    turned = y.permute(0, 2, 3, 1)
    assert not turned.is_contiguous() and turned.stride() == (27, 3, 1, 9)
    turned.contiguous().add_(1.0)
    assert y.detach().array.max() == 4.0


def test_view_raises_where_pytorchs_does():
    x = mt.arange(6.0).view(2, 3)
    assert x.view(3, 2).shape == (3, 2) and x[:, None].view(2, 3).tolist() == x.tolist()
    for tensor in (x.t(), x[:, :2], x.expand(4, 2, 3).transpose(0, 1)):
        with pytest.raises(RuntimeError, match=r"view: no view of shape .* use reshape\(\), which copies"):
            tensor.view(-1)
        assert tensor.reshape(-1).shape == (tensor.numel(),)


# ---- inplace=True ----------------------------------------------------------------------------------------------------------

# fmt: off
IN_PLACE = {
    "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "silu": F.silu, "celu": F.celu,
    "mish": F.mish, "hardtanh": F.hardtanh, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
    "threshold": lambda x, inplace: F.threshold(x, 0.1, 20.0, inplace), "dropout": lambda x, inplace: F.dropout(x, 0.5, True, inplace),
    "dropout2d": lambda x, inplace: F.dropout2d(x.view(1, 3, 1, 1), 0.5, inplace=inplace).view(3),
}
MODULES = [
    nn.ReLU(True), nn.ReLU6(True), nn.LeakyReLU(0.3, True), nn.ELU(2.0, True), nn.SELU(True), nn.SiLU(True), nn.CELU(2.0, True),
    nn.Mish(True), nn.Hardtanh(inplace=True), nn.Hardsigmoid(True), nn.Hardswish(True), nn.Threshold(0.1, 20.0, True),
    nn.Dropout(0.5, True), nn.Dropout2d(0.5, True),
]
# fmt: on


@pytest.mark.parametrize("function", IN_PLACE.values(), ids=IN_PLACE)
def test_inplace_is_done_and_differentiated(function):
    answers = []
    for inplace in (False, True):
        mt.manual_seed(0)
        x = leaf(-0.7, 0.3, 2.0)
        given = x * 3
        result = function(given, inplace=inplace)
        (result * result).sum().backward()
        answers.append((result.tolist(), x.grad.tolist()))
        assert not inplace or given.tolist() == result.tolist()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: type(module).__name__)
def test_modules_do_it_too(module):
    mt.manual_seed(0)
    x = mt.tensor([-1.0, 0.05, 9.0, -2.0]).view(4, 1, 1)
    before, result = x.tolist(), module(x)
    assert result is x and x.tolist() != before


def takes_inplace(library, wanted):
    return {name for name, it in vars(library).items() if wanted(it) and "inplace" in inspect.signature(it).parameters}


def test_everything_that_takes_inplace_is_tried():
    assert takes_inplace(nn, inspect.isclass) == {type(module).__name__ for module in MODULES}
    assert takes_inplace(F, inspect.isfunction) == set(IN_PLACE)


def test_dropout_in_place_writes_nothing_in_evaluation():
    x = leaf(1.0, 2.0)
    hidden = x.exp()
    for training, p in ((False, 0.5), (True, 0.0)):
        assert F.dropout(hidden, p, training, inplace=True) is hidden and F.dropout(x, p, training, inplace=True) is x
    hidden.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1.0, 2.0]), rtol=1e-6)


def test_a_later_use_of_what_a_write_replaced_is_caught():
    x = leaf(1.0, 2.0)
    hidden = x.sigmoid()
    F.relu(hidden, inplace=True)
    with pytest.raises(RuntimeError, match=r"sigmoid: an array .* was changed in place by relu"):
        hidden.sum().backward()


# ---- what PyTorch makes a view, or a copy ----------------------------------------------------------------------------------


def test_a_0d_integer_tensor_selects_a_view_as_an_integer_does():
    x, i = mt.zeros(2, 3), mt.tensor(1)
    x[i].add_(1.0)
    x[0, i] = 5.0
    x[:, mt.tensor(-1)].mul_(2.0)
    assert x.tolist() == [[0.0, 5.0, 0.0], [1.0, 1.0, 2.0]]


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "linear"])
@pytest.mark.parametrize("size", [1, 3])
def test_interpolate_returns_memory_of_its_own(mode, size):
    x = mt.ones(1, 2, 1)
    out = F.interpolate(x, size, mode=mode)
    x.zero_()
    assert out.sum() == 2 * size


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.t_(),
        lambda t: t.transpose_(0, 1),
        lambda t: t.swapaxes_(0, 1),
        lambda t: t.unsqueeze_(0),
        lambda t: t.squeeze_(),
    ],
    ids=["t_", "transpose_", "swapaxes_", "unsqueeze_", "squeeze_"],
)
@pytest.mark.parametrize("is_leaf", [True, False])
def test_a_shape_changed_in_place_under_no_grad_keeps_the_way_of_the_gradient(change, is_leaf):
    x = mt.arange(6.0).reshape(2, 3).requires_grad_()
    t = x if is_leaf else x * 1.0
    numbers = mt.arange(6.0).reshape(2, 3)
    with mt.no_grad():
        assert change(t) is t
    assert t.requires_grad and t.is_leaf is is_leaf
    (t * change(numbers)).sum().backward()
    assert x.grad.tolist() == (numbers if is_leaf else mt.arange(6.0).reshape(2, 3)).tolist()


def test_what_a_view_held_before_a_change_through_it_is_not_what_it_retains():
    x = mt.ones(4, requires_grad=True)
    y = x * 2
    view = y[:2]
    view.retain_grad()
    view.mul_(3)
    (y * 5).sum().backward()
    assert view.grad is None and x.grad.tolist() == [30.0, 30.0, 10.0, 10.0]


@pytest.mark.parametrize("change", [lambda w: w.mul_(2), lambda w: w[0].add_(1), lambda w: w.view(-1)[1:].zero_()])
def test_a_leaf_that_is_a_view_of_a_constant_is_changed_under_no_grad_only(change):
    w = mt.ones(4).reshape(2, 2).requires_grad_()
    with pytest.raises(RuntimeError, match="a leaf"):
        change(w)
    with mt.no_grad():
        change(w)
    assert w.is_leaf and w.tolist() != [[1.0, 1.0], [1.0, 1.0]]
    (w * 3).sum().backward()
    assert w.grad.tolist() == [[3.0, 3.0], [3.0, 3.0]]
