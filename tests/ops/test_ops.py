"""Every row of the table in every way there is: values, gradients to third order, dtypes, memory layouts, bad inputs."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from minitorch.autograd.gradcheck import gradcheck, gradgradcheck
from minitorch.autograd.op import Op
from tests.op_table import ROWS, every_case
from tests.op_table.checks import (
    assert_all_close,
    assert_close,
    derivative,
    gradients,
    host,
    largest,
    moving,
    pulled,
    recorded,
    weights,
)
from tests.op_table.row import as_input, is_differentiated, outputs

TOLERANCE = {mt.float64: 1e-12, mt.float32: 1e-5}


@every_case
def test_values_are_those_of_an_independent_reference_in_the_dtype_of_the_inputs(row, case):
    for dtype, tolerance in TOLERANCE.items():
        expected = row.expected(case, dtype)
        got = row(case, row.inputs(case, dtype))
        assert len(got) == len(expected)
        for ours, theirs in zip(got, expected):
            assert ours.dtype == (mt.int64 if theirs.dtype.kind == "i" else dtype)
            assert_close(host(ours), theirs, tolerance)


@every_case
def test_gradients_are_those_of_the_values(row, case):
    assert gradcheck(*row.function(case), mode="complex" if row.analytic else "central")


@every_case
def test_second_derivatives_are_those_of_the_gradients(row, case):
    assert gradgradcheck(*row.function(case), mode="complex" if row.analytic else "central")


@pytest.mark.parametrize("row", [row for row in ROWS if row.analytic], ids=lambda row: row.name)
def test_third_derivatives_are_those_of_the_second(row):
    function, inputs = row.function(row.cases[0])
    given = [weight.requires_grad_() for weight in weights(function(*inputs), 8)]
    assert gradgradcheck(derivative(function, len(inputs)), [*inputs, *given], mode="complex", rtol=1e-11)


@every_case
def test_second_derivatives_do_not_depend_on_whether_the_gradient_given_has_one(row, case):
    found = []
    for wanted in (False, True):
        inputs = row.inputs(case)
        values = recorded(row(case, inputs))
        given = [weight.requires_grad_(wanted) for weight in weights(values, 8)]
        first = mt.autograd.grad(values, moving(inputs), given, create_graph=True, allow_unused=True) if values else ()
        found.append(pulled(first, moving(inputs), 9))
    for constant, moved in zip(*found):
        if constant is not None:
            assert_close(host(constant), host(moved))
        else:
            assert moved is None or not moved.array.any()


@every_case
def test_recording_the_backward_pass_changes_no_gradient(row, case):
    inputs = row.inputs(case)
    values = row(case, inputs)
    assert_all_close(pulled(values, moving(inputs), 8, create_graph=True), pulled(values, moving(inputs), 8))


@every_case
def test_an_input_that_alone_wants_a_gradient_gets_the_same(row, case):
    inputs = row.inputs(case)
    wanted = [i for i, value in enumerate(inputs) if is_differentiated(value)]
    together = gradients(row, case, inputs)
    for i, expected in zip(wanted, together):
        alone = [value.detach() if is_differentiated(value) and j != i else value for j, value in enumerate(inputs)]
        for create_graph in (False, True):
            found = pulled(row(case, alone), [inputs[i]], 8, create_graph)
            if expected is not None:
                assert_close(host(found[0]), host(expected))


def in_float64(value):
    is_floats = isinstance(value, Tensor) and value.is_floating_point()
    return value.detach().double().requires_grad_(value.requires_grad) if is_floats else value


@every_case
def test_float32_has_float32_gradients_near_those_of_float64(row, case):
    for order in (1, 2):
        single = gradients(row, case, row.inputs(case, mt.float32), order)
        double = gradients(row, case, [in_float64(value) for value in row.inputs(case, mt.float32)], order)
        for ours, theirs in zip(single, double):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                assert ours.dtype == mt.float32
                # inputs and weights are of the order of 1, so a small gradient is a difference of numbers of that order
                assert_close(host(ours), host(theirs), 1e-5 if order == 1 else 1e-4, least=1.0)


@every_case
def test_the_default_dtype_does_not_leak_into_results(row, case):
    mt.set_default_dtype(mt.float64)
    try:
        inputs = row.inputs(case, mt.float32)
        values = row(case, inputs)
        found = (*values, *pulled(values, moving(inputs), 8))
    finally:
        mt.set_default_dtype(mt.float32)
    assert {tensor.dtype for tensor in found if tensor is not None} <= {mt.float32, mt.int64}


# ---- memory --------------------------------------------------------------------------------------------------------------


def strided(array):
    """Every second element, along every dimension, of a larger array."""
    view = np.full([2 * n for n in array.shape], np.nan)[(*(slice(None, None, 2),) * array.ndim, ...)]
    view[...] = array
    return view


def repeated(array):
    """The first element of every dimension in place of the others, in strides of 0."""
    return np.broadcast_to(array[(*(slice(0, 1),) * array.ndim, ...)], array.shape) if array.size else array


def backwards(array):
    """In negative strides."""
    return np.asarray(np.flip(np.flip(array).copy()))  # NumPy makes a number of what has no dimension


def fortran(array):
    return array.copy(order="F")


LAYOUTS = (fortran, strided, backwards, repeated)


def assert_same(row, case, inputs, others):
    """Equal values, gradients and second derivatives from two sets of inputs."""
    assert_all_close(row(case, inputs), row(case, others))
    for order in (1, 2):
        found, expected = (gradients(row, case, each, order) for each in (inputs, others))
        least = max((largest(host(grad)) for grad in expected if grad is not None), default=0.0)
        assert_all_close(found, expected, least=least)  # of one that is 0, rounding may leave something


@every_case
def test_the_memory_layout_of_inputs_changes_nothing(row, case):
    for layout in LAYOUTS:
        laid_out, plain = row.inputs(case), row.inputs(case)
        for ours, theirs in zip(laid_out, plain):
            if is_differentiated(ours):
                ours.array = layout(ours.array)
                theirs.array = ours.array.copy(order="C")
        assert_same(row, case, laid_out, plain)


def twins(inputs):
    """The positions of the first two differentiated inputs of one shape; None if there are none."""
    places = [i for i, value in enumerate(inputs) if is_differentiated(value) and value.ndim]
    return next(((i, j) for i in places for j in places if i < j and inputs[i].shape == inputs[j].shape), None)


@every_case
def test_inputs_that_overlap_in_memory_have_the_gradients_of_separate_ones(row, case):
    shared, separate = row.inputs(case), row.inputs(case)
    if places := twins(shared):
        memory = np.abs(shared[places[0]].array)  # positive numbers are in the domain of every operation
        memory = np.concatenate([memory, memory[..., :1]], -1)
        for place, view in zip(places, (memory[..., :-1], memory[..., 1:])):
            shared[place].array, separate[place].array = view, view.copy()
        assert_same(row, case, shared, separate)


@every_case
def test_the_gradient_of_an_input_given_twice_is_the_sum(row, case):
    inputs = row.inputs(case)
    if places := twins(inputs):
        for place in places:
            inputs[place].array = np.abs(inputs[places[0]].array)
        positions = [i for i, value in enumerate(inputs) if is_differentiated(value)]
        separate = dict(zip(positions, gradients(row, case, inputs)))
        inputs[places[1]] = inputs[places[0]]
        twice = dict(zip(positions, gradients(row, case, inputs)))
        parts = [host(separate[place]) for place in places if separate[place] is not None]
        assert_close(host(twice[places[0]]), sum(parts))


@every_case
def test_nothing_given_is_written_to_and_every_gradient_owns_its_memory(row, case):
    inputs = row.inputs(case)
    upstream = weights(row(case, inputs), 8)
    given = [value.array for value in (*inputs, *upstream) if isinstance(value, Tensor)]
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    values = recorded(row(case, inputs))
    mt.autograd.backward(values, upstream)
    for array, copy in zip(given, before):
        np.testing.assert_array_equal(array, copy)
    grads = [value.grad.array for value in moving(inputs) if value.grad is not None]
    assert all(grad.flags.writeable and (grad.base is None or grad.base.size == grad.size) for grad in grads)  # or as a whole
    for i, grad in enumerate(grads):
        others = (*grads[i + 1 :], *given, *(value.array for value in values))
        assert not any(np.shares_memory(grad, other) for other in others)


class Watched(Op):
    """a.  da = g. Notes of both whether their memory is channels-last."""

    def forward(ctx, a, seen):
        ctx.seen = seen
        seen.append(a.strides[1] == a.itemsize)
        return a.copy(order="K")

    def backward(ctx, g):
        ctx.seen.append(g.strides[1] == g.itemsize)
        return g


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d], ids=["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("padding", [0, 1])
def test_images_are_channels_last_from_the_convolution_to_the_flattening_and_back(pool, padding):
    x, w, seen = mt.ones(2, 3, 9, 9), mt.ones(4, 3, 2, 2, requires_grad=True), []
    images = Watched.apply(F.conv2d(x, w), seen=seen)
    pooled = Watched.apply(pool(images.relu(), 2, padding=padding), seen=seen)
    (pooled.flatten(1) @ mt.ones(pooled[0].numel(), 5)).sum().backward()
    assert seen == [True] * 4


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.max_pool2d(x, 8),
        lambda x: F.avg_pool2d(x, 8),
        lambda x: F.adaptive_avg_pool2d(x, 1),
        lambda x: x.mean((2, 3)),
    ],
    ids=["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mean"],
)
def test_gradients_are_channels_last_under_pooling_of_whole_images(pool):
    x, w, seen = mt.ones(2, 3, 9, 9), mt.ones(4, 3, 2, 2, requires_grad=True), []
    images = Watched.apply(F.conv2d(x, w), seen=seen)
    pool(images.relu()).sum().backward()
    assert seen == [True] * 2


# ---- what is refused, and other names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row, call", [pytest.param(row, call, id=f"{row.name}-{i}") for row in ROWS for i, call in enumerate(row.bad)]
)
def test_bad_inputs_are_refused_with_the_operation_the_shapes_and_what_was_expected(row, call, device):
    inputs = [as_input(value, getattr(value, "dtype", mt.float64), device) for value in call.inputs]
    with pytest.raises(call.error, match=call.match):
        row.call(*inputs, **call.parameters)


@every_case
def test_every_other_form_of_an_operation_gives_the_same(row, case):
    for form in row.also if not case.parameters else ():
        inputs = row.inputs(case)
        values = outputs(form(*inputs))
        assert_all_close(values, row(case, inputs), 0.0)
        assert_all_close(pulled(values, moving(inputs), 8), gradients(row, case, inputs), 0.0)
