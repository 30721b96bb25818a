"""Single points at which operations could go wrong: kinks, zeros, nothing at all, and what the table leaves out."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.distributions import Normal
from minitorch.ops.softmax import largest

NAN, INF = math.nan, math.inf

# (operation, input, value, gradient), as PyTorch has them; none may warn
# fmt: off
POINTS = {
    "abs at 0": (mt.abs, [0.0], [0.0], [0.0]),
    "sign at 0": (mt.sign, [0.0], [0.0], [0.0]),
    "relu at 0": (mt.relu, [0.0], [0.0], [0.0]),
    "relu of nan": (mt.relu, [NAN, INF, -INF], [NAN, INF, 0.0], None),
    "relu6 at its corners": (F.relu6, [0.0, 6.0, 7.0], [0.0, 6.0, 6.0], [0.0, 0.0, 0.0]),
    "relu6 of nan": (F.relu6, [NAN, INF, -INF], [NAN, 6.0, 0.0], None),
    "leaky_relu at 0": (lambda x: F.leaky_relu(x, 0.1), [0.0], [0.0], [0.1]),
    "elu at 0": (lambda x: F.elu(x, 0.5), [0.0], [0.0], [0.5]),
    "clamp at its bounds": (lambda x: mt.clamp(x, -1, 1), [-1.0, 1.0, 2.0], [-1.0, 1.0, 1.0], [1.0, 1.0, 0.0]),
    "clamp of nan": (lambda x: mt.clamp(x, -1, 1), [NAN, INF, -INF], [NAN, 1.0, -1.0], None),
    "clamp with crossed bounds": (lambda x: mt.clamp(x, 1, -1), [-3.0, 0.0, 3.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]),
    "log at 0": (mt.log, [0.0, 1.0], [-INF, 0.0], [INF, 1.0]),
    "log below 0": (mt.log, [-1.0], [NAN], [-1.0]),
    "log1p at -1": (mt.log1p, [-1.0], [-INF], [INF]),
    "sqrt at 0": (mt.sqrt, [0.0], [0.0], [INF]),
    "pow 2 at 0": (lambda x: x**2, [0.0], [0.0], [0.0]),
    "pow 0 at 0": (lambda x: x**0, [0.0], [1.0], [0.0]),
    "pow 1 at 0": (lambda x: x**1, [0.0], [0.0], [1.0]),
    "the exponent of 0": (lambda x: mt.pow(0.0, x), [2.0, 0.0], [0.0, 1.0], [0.0, 0.0]),
    "the exponent of 0, falling": (lambda x: -mt.pow(0.0, x), [-1.0, 1.0], [-math.inf, 0.0], [math.inf, 0.0]),
    "the exponent of a 0 among others": (lambda x: mt.pow(mt.tensor([0.0, 0.0, 2.0, 1.0], dtype=mt.float64), x),
                                         [2.0, 0.0, 0.0, 3.0], [0.0, 1.0, 1.0, 1.0], [0.0, 0.0, math.log(2), 0.0]),
    "the exponent of a number below 0": (lambda x: mt.pow(-0.5, x), [2.0, 3.0], [0.25, -0.125], [NAN, NAN]),
    "the base of exponents": (lambda x: mt.pow(x, mt.tensor([0.0, 0.0, 1.0, 2.0, -1.0], dtype=mt.float64)),
                              [0.0, 2.0, 0.0, 0.0, 2.0], [1.0, 1.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0, -0.25]),
    "the exponent where the power is too small": (lambda x: mt.pow(1e-200, x), [2.0, 1.0], [0.0, 1e-200], [0.0, 1e-200 * math.log(1e-200)]),
    "norm at 0": (lambda x: mt.norm(x).reshape(1), [0.0, 0.0], [0.0], [0.0, 0.0]),
    "norm 1 at 0": (lambda x: mt.norm(x, 1).reshape(1), [0.0, 2.0], [2.0], [0.0, 1.0]),
    "norm 3 at 0": (lambda x: mt.norm(x, 3).reshape(1), [0.0, 0.0], [0.0], [0.0, 0.0]),
    "std of equal numbers": (lambda x: mt.std(x).reshape(1), [2.0, 2.0], [0.0], [0.0, 0.0]),
    "prod with one 0": (lambda x: mt.prod(x).reshape(1), [2.0, 0.0, 3.0], [0.0], [0.0, 6.0, 0.0]),
    "prod with two 0": (lambda x: mt.prod(x).reshape(1), [0.0, 0.0, 3.0], [0.0], [0.0, 0.0, 0.0]),
    "logsumexp of -inf": (lambda x: mt.logsumexp(x, 0).reshape(1), [-INF, 0.0], [0.0], [0.0, 1.0]),
    "softmax of -inf": (lambda x: F.softmax(x, 0), [-INF, 0.0], [0.0, 1.0], [0.0, 0.0]),
    "max of equal numbers shares": (lambda x: mt.max(x).reshape(1), [1.0, 3.0, 3.0], [3.0], [0.0, 0.5, 0.5]),
    "max along a dim takes the first": (lambda x: mt.max(x, 0).values.reshape(1), [1.0, 3.0, 3.0], [3.0], [0.0, 1.0, 0.0]),
    "max of nan": (lambda x: mt.max(x, 0).values.reshape(1), [1.0, NAN, 3.0], [NAN], [0.0, 1.0, 0.0]),
    "maximum of equals shares": (lambda x: mt.maximum(x, mt.ones(1, dtype=mt.float64)), [1.0], [1.0], [0.5]),
    "maximum with nan": (lambda x: mt.maximum(x, mt.zeros(2, dtype=mt.float64)), [NAN, INF], [NAN, INF], None),
    "softplus beyond its threshold": (F.softplus, [21.0], [21.0], [1.0]),
    "softplus at its threshold": (lambda x: F.softplus(x, 1.0, 2.0), [2.0], [math.log1p(math.exp(2))], [1 / (1 + math.exp(-2))]),
    "softplus below its threshold by beta": (lambda x: F.softplus(x, 2.0, 3.0), [1.2], [math.log1p(math.exp(2.4)) / 2],
                                             [1 / (1 + math.exp(-2.4))]),
    "cosine_similarity of 0": (lambda x: F.cosine_similarity(x, x.detach() + 1, 0).reshape(1), [0.0, 0.0], [0.0], None),
}
# fmt: on


@pytest.mark.parametrize("function, x, value, gradient", POINTS.values(), ids=POINTS)
def test_a_point_where_it_could_go_wrong(function, x, value, gradient):
    x = mt.tensor(x, dtype=mt.float64, requires_grad=True)
    out = function(x)
    np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-12)
    out.sum().backward()
    if gradient is not None:
        np.testing.assert_allclose(x.grad.numpy(), gradient, rtol=1e-12)


@pytest.mark.parametrize("base", [0.0, mt.zeros(2, dtype=mt.float64)], ids=["number", "tensor"])
def test_the_gradient_of_a_negative_exponent_of_0_is_infinite_and_that_of_a_0_exponent_0(base):
    exponent = mt.tensor([-1.0, 0.0], dtype=mt.float64, requires_grad=True)
    with np.errstate(divide="ignore"):
        out = mt.pow(base, exponent)
    out.backward(mt.ones_like(out))
    assert out.tolist() == [INF, 1.0] and exponent.grad.tolist() == [-INF, 0.0]


@pytest.mark.parametrize(
    "low, high, value, gradients",
    [
        (1.0, 3.0, 2.0, (1, 0, 0)),
        (2.0, 3.0, 2.0, (1, 0, 0)),
        (1.0, 2.0, 2.0, (1, 0, 0)),  # within, and at either bound
        (2.5, 3.0, 2.5, (0, 1, 0)),
        (2.5, 2.5, 2.5, (0, 1, 0)),
        (1.0, 1.5, 1.5, (0, 0, 1)),  # below, and above
        (3.0, 1.0, 1.0, (0, 0, 1)),
        (2.5, 2.2, 2.2, (0, 0, 1)),  # the upper bound below the lower one is what counts
    ],
)
def test_the_gradient_of_clamp_goes_to_what_set_its_value(low, high, value, gradients):
    x, low, high = (mt.tensor([number], requires_grad=True) for number in (2.0, low, high))
    out = mt.clamp(x, low, high)
    out.sum().backward()
    assert out.item() == pytest.approx(value)
    assert tuple(tensor.grad.item() for tensor in (x, low, high)) == gradients


@pytest.mark.parametrize("bound, expected", [(2.0, (1, 0)), (2.5, (0, 1))])
def test_the_gradient_of_clamp_with_one_bound(bound, expected):
    for name, sign in (("min", 1), ("max", -1)):
        x, limit = (mt.tensor([sign * number], requires_grad=True) for number in (2.0, bound))
        mt.clamp(x, **{name: limit}).sum().backward()
        assert (x.grad.item(), limit.grad.item()) == expected


def test_the_mean_of_nothing_is_nan_and_its_gradient_empty():
    x = mt.zeros(0, 3, requires_grad=True)
    mean = x.mean()
    mean.backward()
    assert math.isnan(mean.item()) and x.grad.shape == (0, 3)


@pytest.mark.parametrize("value", [2.5, NAN, INF, -INF])
@pytest.mark.parametrize("shape", [(7, 10), (6, 32), (6, 33), (0, 3), (1, 1)], ids=str)
def test_the_largest_of_rows_is_what_numpy_finds(shape, value):
    a = np.random.default_rng(0).integers(-2, 3, shape).astype(np.float32)
    a.reshape(-1)[::4] = value
    for given in (a, a[::-1], np.asfortranarray(a), a.astype(complex)):
        np.testing.assert_array_equal(largest(given), given.max(1, keepdims=True), strict=True)


def test_a_distance_of_0_has_a_gradient_of_0():
    x = mt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    loss = F.contrastive_loss(x, x.detach(), mt.tensor([0, 1]))
    loss.backward()
    assert loss.item() == 0.25 and x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_sure_probability_has_a_finite_loss_and_gradient(target):
    x = mt.tensor([0.0, 1.0], dtype=mt.float64, requires_grad=True)
    losses = F.binary_cross_entropy(x, mt.full((2,), target, dtype=mt.float64), reduction="none")
    losses.sum().backward()
    wrong = [100.0, 0.0] if target else [0.0, 100.0]
    np.testing.assert_allclose(losses.detach().numpy(), wrong)
    np.testing.assert_allclose(x.grad.numpy(), np.sign(np.array(wrong) * (1 - 2 * target)) * 1e12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [mt.float32, mt.float64], ids=str)
def test_losses_of_sure_logits_are_exact_and_finite(reduction, dtype):
    logits = mt.tensor([[1e4, -1e4], [-1e4, 1e4]], dtype=dtype, requires_grad=True)
    right, wrong = mt.tensor([0, 1]), mt.tensor([1, 0])
    for label, expected in ((right, 0.0), (wrong, 2e4)):
        losses = F.cross_entropy(logits, label, reduction=reduction)
        total = losses.sum().item() / (2 if reduction != "mean" else 1)
        assert total == expected
        (grad,) = mt.autograd.grad(losses.sum(), logits)
        assert grad.abs().max().item() in (0.0, 0.5 if reduction == "mean" else 1.0)
    sure = F.binary_cross_entropy_with_logits(logits[:, 0], mt.tensor([0.0, 1.0], dtype=dtype), reduction="sum")
    assert sure.item() == 2e4
    (grad,) = mt.autograd.grad(sure, logits)
    assert grad[:, 0].tolist() == [1.0, -1.0]


def test_the_gradient_of_a_tie_in_a_window_goes_to_the_first_alone():
    x = mt.ones(1, 1, 4, 4, requires_grad=True)
    out, index = F.max_pool2d(x, 2, return_indices=True)
    out.sum().backward()
    assert index.tolist() == [[[[0, 2], [8, 10]]]]
    assert x.grad[0, 0].tolist() == [[1, 0, 1, 0], [0] * 4, [1, 0, 1, 0], [0] * 4]


def test_no_window_takes_its_maximum_from_the_padding():
    x = mt.full((1, 1, 2, 2), -INF, requires_grad=True)
    out, index = F.max_pool2d(x, 2, 2, 1, return_indices=True)
    out.backward(mt.ones_like(out))
    assert index.tolist() == [[[[0, 1], [2, 3]]]]
    assert x.grad.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]


@pytest.mark.parametrize("stride, dilation", [(2, 1), (1, 2), (2, 2)])
def test_no_window_of_minus_infinities_takes_its_maximum_from_a_padding_wider_than_its_stride(stride, dilation):
    kernel, padding, size = 6, 3, 6
    x = mt.full((1, 1, size, size), -INF, requires_grad=True)
    out, index = F.max_pool2d(x, kernel, stride, padding, dilation, return_indices=True)
    count = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    first = [min(p for p in (i * stride - padding + dilation * k for k in range(kernel)) if p >= 0) for i in range(count)]
    assert index.tolist() == [[[[row * size + column for column in first] for row in first]]]
    out.backward(mt.ones_like(out))
    assert x.grad.sum().item() == count**2


@pytest.mark.parametrize("rows", [2**14, 2**14 + 1])
def test_the_gradient_of_a_bias_counts_every_row_however_many(rows):
    bias = mt.zeros(2, requires_grad=True)
    F.linear(mt.ones(rows, 1), mt.ones(2, 1), bias).sum().backward()
    assert bias.grad.tolist() == [rows, rows]


# ---- indices and dimensions ----------------------------------------------------------------------------------------------


def test_the_places_that_are_not_zero_are_rows_of_indices_or_a_tensor_for_each_dimension():
    x = mt.tensor([[0.0, 2.0, 0.0], [3.0, 0.0, 4.0]])
    places = x.nonzero()
    assert places.tolist() == [[0, 1], [1, 0], [1, 2]] and places.dtype == mt.int64
    for rows, columns in (mt.nonzero(x, as_tuple=True), mt.where(x != 0)):
        assert rows.tolist() == [0, 1, 1] and columns.tolist() == [1, 0, 2]
    assert mt.nonzero(mt.zeros(2, 3)).shape == (0, 2)


@pytest.mark.parametrize("number, count", [(5.0, 1), (0.0, 0)])
def test_the_places_of_a_0d_tensor_have_no_index_and_as_a_tuple_one(number, count):
    x = mt.tensor(number)
    assert x.nonzero().shape == (count, 0) and x.nonzero().dtype == mt.int64
    for (index,) in (x.nonzero(as_tuple=True), mt.where(x != 0)):
        assert index.tolist() == [0] * count


def test_where_needs_a_second_value_beside_the_first():
    mask = mt.tensor([True, False])
    for values in ((mt.ones(2), None), (None, mt.ones(2))):
        with pytest.raises(TypeError, match="where: "):
            mt.where(mask, *values)


def test_a_0d_tensor_has_one_dim_to_name_from_either_end():
    x = mt.tensor(3.0)
    for dim in (0, -1):
        assert x.sum(dim).item() == x.mean(dim).item() == x.prod(dim).item() == 3.0
    for dim in (1, -2):
        with pytest.raises(IndexError, match=f"sum: dim {dim} is out of range for 0 dimensions"):
            x.sum(dim)


def test_softmax_without_a_dim_goes_along_the_last():
    x = mt.tensor([[0.0, 1.0, 2.0], [5.0, 3.0, 1.0]])
    for function in (F.softmax, F.log_softmax, mt.softmax, mt.log_softmax):
        assert function(x).tolist() == function(x, -1).tolist() == function(x, 1).tolist() != function(x, 0).tolist()


def test_normalisation_is_as_exact_recorded_as_not_far_from_0():
    """The mean of squares less the square of the mean would lose all digits of the variance here."""
    x = mt.tensor(1e6 + np.array([[-1.5, 0.25], [0.5, 1.75], [1.25, -0.5]]), dtype=mt.float64, requires_grad=True)
    given = mt.tensor([[1.0, -2.0], [0.5, 3.0], [-1.0, 1.0]], dtype=mt.float64)
    y = F.batch_norm(x, None, None, training=True)
    (plain,) = mt.autograd.grad(y, x, given, retain_graph=True)
    (recorded,) = mt.autograd.grad(y, x, given, create_graph=True)
    np.testing.assert_allclose(recorded.detach().numpy(), plain.numpy(), rtol=1e-8)


# ---- casts ---------------------------------------------------------------------------------------------------------------

# fmt: off
CASTS = {
    "half": (lambda x: x.half(), mt.float16), "float": (lambda x: x.float(), mt.float32),
    "double": (lambda x: x.double(), mt.float64), "type": (lambda x: x.type(mt.float16), mt.float16),
    "type_as": (lambda x: x.type_as(mt.zeros(1, dtype=mt.float64)), mt.float64), "to": (lambda x: x.to(mt.float16), mt.float16),
    "to another": (lambda x: x.to(mt.zeros(1, dtype=mt.float64)), mt.float64),
    "a sum's": (lambda x: mt.sum(x, dtype=mt.float64), mt.float64),
    "softmax's": (lambda x: F.softmax(x, 0, dtype=mt.float64), mt.float64),
}
# fmt: on


@pytest.mark.parametrize("cast, dtype", CASTS.values(), ids=CASTS)
@pytest.mark.parametrize("given", [mt.float32, mt.float64], ids=str)
def test_a_cast_brings_its_gradient_back_in_the_dtype_of_the_input(cast, dtype, given):
    x = mt.tensor([0.5, -1.5, 2.0], dtype=given, requires_grad=True)
    y = cast(x)
    assert y.dtype == dtype
    (grad,) = mt.autograd.grad((y * y).sum(), x, create_graph=True)
    assert grad.dtype == given
    (second,) = mt.autograd.grad(grad.sum(), x)
    assert second.dtype == given


@pytest.mark.parametrize("name", ["short", "int", "long", "byte", "bool"])
def test_a_cast_to_whole_numbers_has_no_gradient(name):
    y = getattr(mt.tensor([1.0, 0.0], requires_grad=True), name)()
    assert not y.requires_grad and y.dtype.kind in "iub" and y.tolist() == [1, 0]


# ---- running statistics --------------------------------------------------------------------------------------------------


def test_batch_norm_moves_its_running_statistics_in_training_alone():
    x = mt.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 4.0]], dtype=mt.float64)
    mean, variance = mt.tensor([1.0, -1.0], dtype=mt.float64), mt.tensor([2.0, 3.0], dtype=mt.float64)
    F.batch_norm(x, mean, variance, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.75 * np.array([1.0, -1.0]) + 0.25 * x.numpy().mean(0), rtol=1e-15)
    np.testing.assert_allclose(variance.numpy(), 0.75 * np.array([2.0, 3.0]) + 0.25 * x.numpy().var(0, ddof=1), rtol=1e-15)
    before = mean.tolist(), variance.tolist()
    F.batch_norm(x, mean, variance, training=False)
    assert (mean.tolist(), variance.tolist()) == before


def test_a_relu_not_in_place_leaves_its_input_alone():
    x = mt.tensor([-1.0, 2.0])
    assert F.relu(x).tolist() == [0.0, 2.0] and x.tolist() == [-1.0, 2.0]


def test_the_gradient_of_running_products_of_zeros_alone():
    x = mt.zeros(3, requires_grad=True)
    x.cumprod(0).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0]


def test_a_text_is_no_number():
    with pytest.raises(TypeError, match=r"^where: expected a tensor or a number, got str"):
        mt.where(mt.tensor([True]), "a", 1.0)


def test_more_than_two_dimensions_are_reversed_with_a_warning():
    x = mt.arange(24.0, requires_grad=True).reshape(2, 3, 4)
    with pytest.warns(UserWarning, match=r"^Tensor.T reverses all dimensions of shape \(2, 3, 4\); write .mT"):
        turned = x.T
    assert np.array_equal(turned.detach().numpy(), x.detach().numpy().T)


def test_bins_that_are_none_are_refused():
    x = mt.ones(3)
    for act, error, said in (
        (lambda: mt.histogram(x, 0), ValueError, "^histogram: .*positive"),
        (lambda: mt.histogram(x, mt.tensor([2.0, 1.0])), ValueError, "^histogram: .*increas"),
        (lambda: mt.histogram(x * NAN), ValueError, "^histogram: .*not finite"),
        (lambda: mt.histogram(x, weight=mt.ones(2)), ValueError, r"^histogram: expected weights .* got \(3,\) and \(2,\)"),
        (lambda: mt.histogram(x.long()), TypeError, "^histogram: expected floating-point tensors, got an input of int64"),
    ):
        with pytest.raises(error, match=said):
            act()


def test_the_gradient_of_a_cholesky_factor_is_symmetric():
    a = mt.tensor([[[4.0, 1.0], [1.0, 3.0]], [[2.0, -1.0], [-1.0, 5.0]]], dtype=mt.float64, requires_grad=True)
    (mt.linalg.cholesky(a) * mt.tensor([[1.0, 0.0], [2.0, 3.0]])).sum().backward()
    assert mt.allclose(a.grad, a.grad.mT) and not mt.allclose(a.grad, a.grad * mt.eye(2))


# (operation, the same by Python's own functions in a form that loses nothing), where the value is small
# fmt: off
SMALL = {
    "sigmoid": (mt.sigmoid, lambda a: math.exp(a) / (1 + math.exp(a))),
    "silu": (F.silu, lambda a: a * math.exp(a) / (1 + math.exp(a))),
    "mish": (F.mish, lambda a: a * math.tanh(math.log1p(math.exp(a)))),
    "softplus": (F.softplus, lambda a: math.log1p(math.exp(a))),
    "logsigmoid": (lambda a: F.logsigmoid(-a), lambda a: -math.log1p(math.exp(a))),
    "gelu": (F.gelu, lambda a: a * math.erfc(-a * math.sqrt(0.5)) / 2),
    "erfc": (lambda a: mt.erfc(-a), lambda a: math.erfc(-a)),
    "Normal.cdf": (lambda a: Normal(mt.zeros_like(a), 1.0).cdf(a), lambda a: math.erfc(-a / math.sqrt(2)) / 2),
    "elu": (F.elu, math.expm1),
}
# fmt: on


@pytest.mark.parametrize("name", SMALL)
def test_a_small_value_keeps_its_digits(name):
    """The logarithm of a probability must not become infinite where a form of it that cancels gives 0."""
    operation, reference = SMALL[name]
    for dtype, lowest, rtol in ((mt.float32, -12.0, 1e-5), (mt.float64, -26.0, 1e-13)):
        a = np.linspace(lowest, -0.01, 301).astype(dtype)
        given = operation(mt.tensor(a)).numpy()
        assert given.dtype == dtype
        np.testing.assert_allclose(given, [reference(float(x)) for x in a], rtol=rtol, atol=np.finfo(dtype).tiny)


def test_the_complement_of_the_error_function_has_all_its_digits():
    for dtype, most, rtol in ((mt.float32, 9.0, 8e-7), (mt.float64, 26.0, 2e-15)):
        a = np.linspace(0.01, most, 301).astype(dtype)
        np.testing.assert_allclose(mt.erfc(mt.tensor(a)).numpy(), [math.erfc(float(x)) for x in a], rtol=rtol)


@pytest.mark.parametrize("shape, dim", [((), 0), ((2,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 2), 1)])
def test_softmax_without_a_dim_takes_pytorchs_and_says_so_where_that_is_not_the_last(shape, dim):
    x = mt.tensor(np.random.default_rng(0).normal(size=shape))
    for function in (F.softmax, F.log_softmax):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert function(x).tolist() == function(x, dim).tolist()
        assert [w.filename for w in caught] == [__file__] * (len(shape) > 2)


def test_an_interpolation_ends_exactly_at_its_end():
    start, end = mt.tensor([1e8, -3.0]), mt.tensor([1.0, 0.1])
    for weight in (1, 1.0, mt.ones(2)):
        assert mt.equal(mt.lerp(start, end, weight), end)


def test_unsigned_numbers_are_not_limited_to_negative_ones():
    with pytest.raises(ValueError, match=r"^hardtanh: expected 0 <= min_val <= max_val for uint8, got -1"):
        F.hardtanh(mt.tensor([1, 200], dtype=mt.uint8))


def test_a_dimension_of_an_empty_batch_is_split_as_that_of_any_other():
    assert mt.zeros(0, 6).unflatten(1, (3, -1)).shape == (0, 3, 2)
    with pytest.raises(ValueError, match=r"^unflatten: dim 1 of shape \(0, 6\) cannot be split into \(4, 2\)"):
        mt.zeros(0, 6).unflatten(1, (4, 2))
