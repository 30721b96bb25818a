"""What is computed a piece at a time, or by a rule of its own, is the plain composition: values, gradients, second derivatives."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch.ops.strips import STRIP, along, each, strips
from minitorch.threads import PIECE

ROWS, COLUMNS = 530, 251  # more than a piece, and no whole number of them
assert ROWS * COLUMNS > STRIP


def softmax(x):
    weights = (x - x.amax(1, keepdim=True)).exp()
    return weights / weights.sum(1, keepdim=True)


def logsigmoid(x):
    return -((1 + (-x.abs()).exp()).log() + (-x).clamp(min=0))


def cubed(x):
    return x * x * x


# fmt: off
COMPOSED = {
    "gelu": (F.gelu, lambda x: x * (mt.erf(x * math.sqrt(0.5)) + 1) * 0.5),
    "silu": (F.silu, lambda x: x * mt.sigmoid(x)),
    "sigmoid": (mt.sigmoid, lambda x: 1 / (1 + (-x).exp())),
    "logsigmoid": (F.logsigmoid, logsigmoid),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.3), lambda x: mt.where(x > 0, x, x * 0.3)),
    "softmax": (lambda x: mt.softmax(x, 1), softmax),
    "x ** 3": (lambda x: x**3, cubed),
    "x ** 7": (lambda x: x**7.0, lambda x: cubed(x) * cubed(x) * x),
}
def layer_norm(x, shape, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    return centred / ((centred * centred).mean(-1, keepdim=True) + eps).sqrt() * weight + bias


LAYOUTS = {"rows": lambda a: a, "columns": lambda a: np.ascontiguousarray(a.T).T, "a part": lambda a: np.tile(a, (1, 2))[:, :COLUMNS]}
# fmt: on


def derivatives(function, array, dtype):
    """The value, the gradient and the derivative of a sum of it, of one function of one array."""
    x = mt.from_numpy(array).requires_grad_()
    weights = mt.from_numpy(np.cos(np.arange(array.size)).reshape(array.shape).astype(dtype))
    value = function(x)
    (first,) = mt.autograd.grad((value * weights).sum(), x, create_graph=True)
    (second,) = mt.autograd.grad((first * weights + x * 0).sum(), x)  # a rule of straight pieces has none
    value = function(x)
    (alone,) = mt.autograd.grad((value * weights).sum(), x)
    return [value.detach().numpy(), first.detach().numpy(), second.numpy(), alone.numpy()]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", COMPOSED)
def test_it_is_the_plain_composition(name, layout):
    values = np.random.default_rng(0).normal(0, 2, (ROWS, COLUMNS))
    for dtype, tolerance in {mt.float64: 1e-10, mt.float32: 2e-5}.items():
        array = LAYOUTS[layout](values.astype(dtype))
        for ours, plain in zip(*(derivatives(function, array, dtype) for function in COMPOSED[name])):
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, plain, rtol=tolerance, atol=tolerance * max(1.0, np.abs(plain).max() / 100))


def test_gelu_of_single_precision_is_nearer_to_the_exact_value_than_a_millionth():
    x = np.concatenate([np.linspace(-20, 20, 100_001), np.logspace(-30, 0, 1000)]).astype(np.float32)
    exact = np.array([v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x.astype(float)])
    found = F.gelu(mt.from_numpy(x)).numpy()
    assert np.abs(found - exact).max() < 1.3e-6  # 20 has a last place of 1.9e-6
    assert np.abs(found - exact)[np.abs(x) < 4].max() < 6e-7
    assert F.gelu(mt.tensor([math.inf, -1e30, math.nan, 0.0])).tolist()[:2] == [math.inf, 0.0]


@pytest.mark.parametrize("shape", [(), (0, 3), (3, 70_000), (70_000,), (1, 70_000, 1), (7, 3, 101, 103)])
def test_pieces_cover_every_element_once(shape):
    for turned in (False, True):
        a = np.zeros(shape)
        a = a.T if turned else a
        b = np.zeros_like(a)
        sizes = []
        for x, y in strips(a, b):
            assert x.shape == y.shape
            x += 1
            y += 1
            sizes.append(x.size)
        assert (a == 1).all() and (b == 1).all()
        if a.flags.c_contiguous:
            assert max(sizes) <= STRIP


def test_pieces_are_cut_along_the_dimension_that_memory_is_slowest_in():
    small, large = np.zeros((2, STRIP // 2)), np.zeros((3, STRIP))
    assert [len(piece) for piece in strips(small, small)] == [2]
    assert [piece[0].shape for piece in strips(large, large)] == [(STRIP,)] * 3
    assert [piece[0].shape for piece in strips(large.T, large.T)] == [(STRIP, 1)] * 3
    one = large.T[:, None, :, None]  # its dimensions of length one have strides that say nothing
    one = np.lib.stride_tricks.as_strided(one, one.shape, (one.strides[0], 2**40, one.strides[2], 2**40))
    assert [piece[0].shape for piece in strips(one, one)] == [(STRIP, 1, 1, 1)] * 3
    rows, row_means = np.zeros((8, PIECE // 4)), np.zeros((8, 1))
    assert [len(piece[0]) for piece in along(rows[:4], row_means[:4])] == [4]
    assert [(len(row), len(mean)) for row, mean in along(rows, row_means)] == [(4, 4), (4, 4)]


INDEXED = {
    "rows": lambda x, i: x[i % 40],
    "columns": lambda x, i: x[:, i % 50],
    "from the end": lambda x, i: x[-1 - i % 40],
    "both": lambda x, i: x[i % 40, i % 50],
    "a grid": lambda x, i: x[(i % 40).reshape(-1, 1), (i % 50)[:30]],
    "with a new axis": lambda x, i: x[None, i % 40],
    "narrow integers": lambda x, i: x[(i % 40).to(mt.int32), (i % 50).to(mt.int32)],
    "gather 0": lambda x, i: x.gather(0, (i[:2000] % 40).reshape(-1, 40)[:, :30]),
    "gather 1": lambda x, i: x.gather(1, (i[:1600] % 50).reshape(40, 40)),
    "gather a part": lambda x, i: x.t().gather(1, (i[:1600] % 40).reshape(40, 40)),
    "index_select": lambda x, i: x.index_select(1, i % 50),
    "embedding": lambda x, i: F.embedding(i.reshape(2, -1) % 40, x, padding_idx=3),
}


@pytest.mark.parametrize("name", INDEXED)
def test_places_named_many_times_get_every_gradient(name):
    x = mt.tensor(np.random.default_rng(1).normal(size=(40, 50)), requires_grad=True)
    i = mt.tensor(np.random.default_rng(2).integers(0, 2000, 2200))
    out = INDEXED[name](x, i)
    given = mt.tensor(np.random.default_rng(3).normal(size=out.shape))
    (found,) = mt.autograd.grad(out, x, given)
    which = INDEXED[name](mt.arange(2000).reshape(40, 50).to(mt.float64), i).numpy().astype(int).reshape(-1)
    np.testing.assert_array_equal(out.detach().numpy().reshape(-1), x.detach().numpy().reshape(-1)[which])
    expected = np.bincount(which, given.numpy().reshape(-1), 2000).reshape(40, 50)
    if name == "embedding":
        expected[3] = 0
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_linear_layer_on_one_row_has_the_gradients_of_one_on_several(rows):
    x, w, b = (mt.randn(*shape, dtype=mt.float64, requires_grad=True) for shape in ((rows, 5), (4, 5), (4,)))
    assert mt.autograd.gradcheck(F.linear, [x, w, b]) and mt.autograd.gradgradcheck(F.linear, [x, w, b])


@pytest.mark.parametrize("norm", [lambda x: F.layer_norm(x, (30,)), lambda x: F.group_norm(x.reshape(4, 6, 5), 2)])
def test_the_recorded_rule_of_a_norm_is_exact_far_from_0(norm):
    x = mt.from_numpy(1e8 + np.random.default_rng(5).normal(size=(4, 30))).requires_grad_()
    weights = mt.from_numpy(np.random.default_rng(6).normal(size=norm(x).shape))
    plain, recorded = (mt.autograd.grad((norm(x) * weights).sum(), x, create_graph=record)[0] for record in (False, True))
    np.testing.assert_allclose(recorded.detach().numpy(), plain.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(2, 700, 251), (3, 5), (90, 5000)])
def test_layer_norm_is_the_plain_composition(shape):
    draw = np.random.default_rng(4).normal
    arrays = [draw(3.0, 2.0, shape), draw(size=shape[-1:]), draw(size=shape[-1:])]
    weights = mt.tensor(draw(size=shape))
    found = []
    for function in (F.layer_norm, layer_norm):
        x, w, b = inputs = [mt.tensor(array, requires_grad=True) for array in arrays]
        value = function(x, shape[-1:], w, b)
        first = mt.autograd.grad((value * weights).sum(), inputs, create_graph=True)
        second = mt.autograd.grad((first[0] * weights).sum() + (first[1] * w).sum(), inputs, materialize_grads=True)
        alone = mt.autograd.grad((function(x, shape[-1:], w, b) * weights).sum(), inputs)
        found.append([each.detach().numpy() for each in (value, *first, *second, *alone)])
    for ours, plain in zip(*found):
        np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-9 * np.abs(plain).max())


def plain_group_norm(x, num_groups, weight, bias, eps=1e-5):
    rows, shape = x.reshape(x.shape[0], num_groups, -1), (1, -1, *[1] * (x.ndim - 2))
    centred = rows - rows.mean(-1, keepdim=True)
    normal = centred / ((centred * centred).mean(-1, keepdim=True) + eps).sqrt()
    return normal.reshape(x.shape) * weight.reshape(shape) + bias.reshape(shape)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("shape", [(5, 6, 101, 103), (3, 8, 7, 5), (40, 6, 1100, 1)])
def test_group_norm_of_either_memory_order_is_the_plain_composition(shape, last):
    values = np.random.default_rng(0).normal(3, 2, shape)
    for dtype, tolerance in {mt.float64: 1e-10, mt.float32: 1e-4}.items():
        array = np.ascontiguousarray(values.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else values
        weight, bias = (mt.tensor(np.cos(np.arange(shape[1]) + k), dtype=dtype, requires_grad=True) for k in (0, 1))
        found = []
        for function in F.group_norm, plain_group_norm:
            of_two = functools.partial(function, weight=weight, bias=bias, num_groups=2)
            given = derivatives(of_two, array.astype(dtype, order="K"), dtype)
            out = of_two(mt.from_numpy(values.astype(dtype)))
            given += [grad.numpy() for grad in mt.autograd.grad((out * out).sum(), [weight, bias])]
            found.append(given)
        for ours, plain in zip(*found):
            np.testing.assert_allclose(ours, plain, rtol=tolerance, atol=tolerance * max(1.0, np.abs(plain).max() / 100))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, np.uint8, np.complex64, np.complex128])
@pytest.mark.parametrize("forms", ["arrays", "a number", "numbers first", "a row", "a smaller condition"])
def test_where_of_large_arrays_is_numpys_to_the_last_bit(dtype, forms):
    rng = np.random.default_rng(0)
    chosen, a, b = rng.random((130, 128)) < 0.5, rng.normal(0, 50, (130, 128)), rng.normal(0, 50, (130, 128))
    a[:3], b[:2] = [[math.nan], [-0.0], [math.inf]], [[-math.inf], [math.nan]]
    with np.errstate(invalid="ignore"):
        a, b = a.astype(dtype), b.astype(dtype)
    a, b = {"a number": (a, 3), "numbers first": (-0.0 if dtype(0).dtype.kind in "fc" else 7, b), "a row": (a, b[:1])}.get(
        forms, (a, b)
    )
    chosen = chosen[:, :1] if forms == "a smaller condition" else chosen
    given = mt.where(mt.from_numpy(chosen), *(mt.from_numpy(v) if isinstance(v, np.ndarray) else v for v in (a, b))).numpy()
    wanted = np.where(chosen, a, b).astype(dtype)
    assert given.dtype == wanted.dtype and given.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_formula_of_each_element_is_that_of_the_whole_arrays(threads):
    rng, before = np.random.default_rng(0), mt.get_num_threads()
    a, row, turned = rng.normal(size=(2, PIECE)), rng.normal(size=PIECE), rng.normal(size=(PIECE, 2)).T
    mt.set_num_threads(threads)
    try:
        for b in (a[::-1], row, turned, 3.0, a > 0):
            for formula in (np.multiply, lambda x, y: x * y):
                np.testing.assert_array_equal(each(formula, a, b), a * b)
    finally:
        mt.set_num_threads(before)


def test_the_gradient_of_layer_norm_on_a_long_row_keeps_its_digits():
    """The mean of equal gradients is that gradient, so that nothing is left; by one product the mean is off by 1.5e-5."""
    x = mt.tensor(np.random.default_rng(0).normal(size=(1, 2**20)).astype(np.float32)).requires_grad_()
    F.layer_norm(x, (2**20,), mt.ones(2**20).requires_grad_()).backward(mt.full((1, 2**20), 0.1))
    assert abs(x.grad.numpy()).max() < 1e-7
