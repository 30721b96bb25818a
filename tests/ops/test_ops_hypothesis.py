"""Shapes and parameters that Hypothesis draws: images against loops over every element, indices against NumPy, broadcasting."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from minitorch.autograd.gradcheck import gradcheck, gradgradcheck
from tests.op_table import index, naive, norm
from tests.op_table.checks import assert_close, host
from tests.op_table.inplace import set_item
from tests.op_table.row import outputs, spread

examples = settings(max_examples=40, derandomize=True, deadline=None, database=None)
one_to = {n: st.integers(1, n) for n in (2, 3, 4, 5)}


def assert_like(reference, call, *arrays, gradients=True, second=False):
    """The values of the reference, and the gradients of these values, exact to rounding; the gradients of these if `second`."""
    expected = reference(*arrays)
    inputs = [mt.tensor(array, requires_grad=True) for array in arrays]
    values = outputs(call(*inputs))
    for ours, theirs in zip(values, expected if isinstance(expected, tuple) else (expected,)):
        assert_close(host(ours), theirs)
    if gradients:
        assert gradcheck(lambda *tensors: outputs(call(*tensors)), inputs, mode="complex")
    if second:
        assert gradgradcheck(lambda *tensors: outputs(call(*tensors)), inputs, mode="complex")


def as_drawn(draw, pair):
    """A pair of equal numbers as one number, sometimes."""
    return pair[0] if pair[0] == pair[1] and draw(st.booleans()) else pair


def lengths(draw, kernel, padding, dilation):
    """A length of the image into which the window fits, for each of its two dimensions."""
    return tuple(max(d * (k - 1) + 1 - 2 * p, 1) + draw(st.integers(0, 3)) for k, p, d in zip(kernel, padding, dilation))


@st.composite
def convolutions(draw):
    """Input, weight, bias or None, and parameters of conv2d."""
    groups, channels, filters = draw(one_to[2]), draw(one_to[2]), draw(one_to[2])
    kernel, stride, dilation = (draw(st.tuples(one_to[n], one_to[n])) for n in (3, 3, 2))
    padding = draw(st.sampled_from(["same", "valid"]) | st.tuples(st.integers(0, 2), st.integers(0, 2)))
    if padding == "same":
        stride = (1, 1)
    height, width = lengths(draw, kernel, (0, 0) if isinstance(padding, str) else padding, dilation)
    x = spread(draw(st.integers(0, 2)), groups * channels, height, width)
    assume(x.size <= 80)
    w, b = spread(groups * filters, channels, *kernel, seed=1), spread(groups * filters, seed=2)
    parameters = {
        "padding": padding if isinstance(padding, str) else as_drawn(draw, padding),
        "groups": groups,
        "stride": as_drawn(draw, stride),
        "dilation": as_drawn(draw, dilation),
    }
    return [x, w, b][: draw(st.integers(2, 3))], parameters


@examples
@given(convolutions())
def test_conv2d(drawn):
    arrays, parameters = drawn
    assert_like(lambda *a: naive.conv2d(*a, **parameters), lambda *a: F.conv2d(*a, **parameters), *arrays, second=True)


@st.composite
def transposed_convolutions(draw):
    """Input, weight, bias or None, and parameters of conv_transpose2d."""
    groups, channels, filters = draw(one_to[2]), draw(one_to[2]), draw(one_to[2])
    kernel, stride, dilation, size = (draw(st.tuples(one_to[n], one_to[n])) for n in (3, 3, 2, 4))
    extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation))
    whole = tuple((n - 1) * s + d * (k - 1) + e + 1 for n, s, d, k, e in zip(size, stride, dilation, kernel, extra))
    padding = tuple(draw(st.integers(0, min(2, (n - 1) // 2))) for n in whole)
    y = spread(draw(st.integers(0, 2)), groups * channels, *size)
    assume(y.size <= 60)
    w, b = spread(groups * channels, filters, *kernel, seed=1), spread(groups * filters, seed=2)
    parameters = {
        "padding": as_drawn(draw, padding),
        "output_padding": as_drawn(draw, extra),
        "groups": groups,
        "stride": as_drawn(draw, stride),
        "dilation": as_drawn(draw, dilation),
    }
    return [y, w, b][: draw(st.integers(2, 3))], parameters


@examples
@given(transposed_convolutions())
def test_conv_transpose2d(drawn):
    arrays, parameters = drawn
    ours, plain = lambda *a: F.conv_transpose2d(*a, **parameters), lambda *a: naive.conv_transpose2d(*a, **parameters)
    assert_like(plain, ours, *arrays, second=True)


@st.composite
def poolings(draw, largest_dilation):
    """Images and parameters of a pooling."""
    kernel, stride = draw(st.tuples(one_to[4], one_to[4])), draw(st.tuples(one_to[5], one_to[5]))
    dilation = tuple(draw(st.integers(1, largest_dilation)) for _ in "hw")
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = lengths(draw, kernel, padding, dilation)
    if draw(st.booleans()):  # sizes that the window divides
        dilation, size = (1, 1), tuple(draw(one_to[3]) * k for k in kernel)
    assume(all(d * (k - 1) < n + 2 * p for n, d, k, p in zip(size, dilation, kernel, padding)))
    x = spread(*draw(st.sampled_from([(1, 1), (2, 1), (1, 2), (0, 1), (2,)])), *size)
    assume(x.size <= 100)
    parameters = {"kernel_size": as_drawn(draw, kernel), "padding": as_drawn(draw, padding), "ceil_mode": draw(st.booleans())}
    if draw(st.integers(0, 2)):
        parameters["stride"] = as_drawn(draw, stride)
    return x, parameters, dilation


@settings(examples, max_examples=80)
@given(poolings(2), st.booleans())
def test_max_pool2d(drawn, return_indices):
    x, parameters, dilation = drawn
    parameters = {**parameters, "dilation": dilation, "return_indices": return_indices}
    try:
        naive.max_pool2d(x, **parameters)
    except ValueError:  # a window with nothing but padding has no maximum
        assume(False)
    assert_like(lambda a: naive.max_pool2d(a, **parameters), lambda a: F.max_pool2d(a, **parameters), x, second=True)


@settings(examples, max_examples=80)
@given(poolings(1), st.booleans(), st.none() | st.integers(1, 5))
def test_avg_pool2d(drawn, count_include_pad, divisor_override):
    x, parameters, _ = drawn
    parameters = {**parameters, "count_include_pad": count_include_pad, "divisor_override": divisor_override}
    assert_like(lambda a: naive.avg_pool2d(a, **parameters), lambda a: F.avg_pool2d(a, **parameters), x, second=True)


@examples
@given(one_to[4], one_to[4], st.none() | one_to[4] | st.tuples(st.none() | one_to[4], st.none() | one_to[4]))
def test_adaptive_avg_pool2d(height, width, size):
    x = spread(1, 2, height, width)
    assert_like(lambda a: naive.adaptive_avg_pool2d(a, size), lambda a: F.adaptive_avg_pool2d(a, size), x)


# ---- normalisation -------------------------------------------------------------------------------------------------------


@examples
@given(st.integers(1, 3), one_to[2], one_to[2], st.lists(one_to[3], max_size=2), st.booleans(), st.sampled_from([1e-5, 0.1]))
def test_group_norm_and_batch_norm(n, groups, width, rest, affine, eps):
    channels = groups * width
    x = spread(n, channels, *rest)
    arrays = [x, *([spread(channels, seed=1), spread(channels, seed=2)] if affine else [])]
    if x[0].size > groups:
        assert_like(
            lambda a, *wb: norm.group_norm(a, groups, *wb, eps=eps),
            lambda a, *wb: F.group_norm(a, groups, *wb, eps=eps),
            *arrays,
        )
    if x.size > channels:
        parameters = {"training": True, "eps": eps}
        assert_like(
            lambda a, *wb: norm.batch_norm(a, None, None, *wb, **parameters),
            lambda a, *wb: F.batch_norm(a, None, None, *wb, **parameters),
            *arrays,
        )


@examples
@given(st.lists(one_to[3], min_size=1, max_size=3), st.data(), st.booleans())
def test_layer_norm(shape, data, affine):
    last = tuple(shape[data.draw(st.integers(0, len(shape) - 1)) :])
    assume(np.prod(last) > 1)
    arrays = [spread(*shape), *([spread(*last, seed=1), spread(*last, seed=2)] if affine else [])]
    assert_like(lambda a, *wb: norm.layer_norm(a, last, *wb), lambda a, *wb: F.layer_norm(a, last, *wb), *arrays)


# ---- indexing ------------------------------------------------------------------------------------------------------------


@st.composite
def indices(draw):
    """A shape and an index for it: integers, slices, None and Ellipsis, integer arrays of shapes that fit, masks."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    arrays = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(shape), max_dims=2, max_side=3, min_side=1)).input_shapes
    entries: list = []
    for dim, (n, of) in enumerate(zip(shape, arrays)):
        kind = draw(st.sampled_from(["integer", "slice", "slice", "array", "mask", "rest"]))
        if kind == "rest":
            break
        if kind == "integer":
            entries.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            start, stop = draw(st.none() | st.integers(-n, n)), draw(st.none() | st.integers(-n, n))
            entries.append(slice(start, stop, draw(st.none() | st.integers(1, 3))))
        elif kind == "array" or any(isinstance(entry, np.ndarray) for entry in entries):
            entries.append(draw(hnp.arrays(np.int64, of, elements=st.integers(-n, n - 1))))
        else:
            entries.append(draw(hnp.arrays(np.bool_, n)))
            break
        if dim == 0 and draw(st.integers(0, 4)) == 0:
            entries.append(None)
    else:
        if draw(st.booleans()):
            entries.append(Ellipsis)
    return shape, entries


def read(x, entries):
    mixed = any(np.ndim(entry) for entry in entries) and any(np.ndim(entry) == 0 for entry in entries if is_integer(entry))
    return index.integers_first(x, *entries) if mixed else x[tuple(entries)]


def is_integer(entry):
    return isinstance(entry, (int, np.ndarray))


def on_tensors(entries):
    return tuple(mt.tensor(entry) if isinstance(entry, np.ndarray) else entry for entry in entries)


@settings(examples, max_examples=150)
@given(indices())
def test_an_index_reads_what_numpy_reads(drawn):
    shape, entries = drawn
    assert_like(lambda a: read(a, entries), lambda a: a[on_tensors(entries)], spread(*shape))


@settings(examples, max_examples=150)
@given(indices(), st.booleans())
def test_an_index_writes_where_numpy_reads(drawn, recorded):
    shape, entries = drawn
    x = spread(*shape)
    places = read(np.arange(x.size).reshape(shape), entries)
    assume(np.unique(places).size == places.size)  # of several values for one place neither library says which stays
    value = spread(*places.shape, seed=1)
    expected = x.copy()
    expected.reshape(-1)[places] = value

    def call(a, b):
        clone = a.clone() if recorded else a.detach().clone()
        set_item(clone, *on_tensors(entries), b if recorded else b.detach())
        return clone

    assert_like(lambda a, b: expected, call, x, value, gradients=recorded)


# ---- broadcasting --------------------------------------------------------------------------------------------------------

BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "pow": operator.pow,
    "maximum": (mt.maximum, np.maximum),
    "minimum": (mt.minimum, np.minimum),
}


@pytest.mark.parametrize("name", BINARY)
@settings(examples, max_examples=20)
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0))
def test_operands_are_broadcast_as_in_numpy(name, shapes):
    ours, theirs = BINARY[name] if isinstance(BINARY[name], tuple) else (BINARY[name],) * 2
    first, second = (spread(*shape, low=0.3, high=2.0, seed=i) for i, shape in enumerate(shapes.input_shapes))
    assert_like(theirs, ours, first, second)


@examples
@given(hnp.mutually_broadcastable_shapes(signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, max_side=3, min_side=0))
def test_matmul_broadcasts_stacks_as_numpy(shapes):
    first, second = (spread(*shape, seed=i) for i, shape in enumerate(shapes.input_shapes))
    assume(first.size <= 40 and second.size <= 40)
    assert_like(np.matmul, mt.matmul, first, second)


@examples
@given(st.lists(st.integers(0, 3), max_size=3), st.data(), st.booleans(), st.sampled_from(["sum", "mean", "amax", "var"]))
def test_reductions_over_any_dims(shape, data, keepdim, name):
    dims = tuple(data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True) if shape else st.just([])))
    assume(dims or not shape)
    count = int(np.prod([shape[d] for d in dims]))
    assume(count > (1 if name == "var" else 0))
    theirs = {"var": lambda a, d, keepdims: np.var(a, d, ddof=1, keepdims=keepdims)}.get(name, getattr(np, name))
    assert_like(
        lambda a: theirs(a, dims, keepdims=keepdim), lambda a: getattr(Tensor, name)(a, dims, keepdim=keepdim), spread(*shape)
    )
