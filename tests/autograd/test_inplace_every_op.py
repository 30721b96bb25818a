"""A tensor changed in place behind a public operation, whichever it is: the gradient is right, or an error is raised."""

import functools

import minitorch as mt
from minitorch import Tensor
from tests.op_table import every_case
from tests.op_table.checks import assert_all_close, moving, pulled


def tensors_in(values):
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


def changed(tensor):
    """Whether `tensor` could be changed in place, which it then is."""
    memory = tensor.detach()
    try:
        if memory.is_floating_point():
            memory.mul_(-0.5).add_(0.3)
        else:
            memory.zero_()
    except ValueError as reason:
        if "change a clone() of it" not in str(reason):
            raise
        return False
    return True


def right_or_refused(found, expected):
    """`found()` gives the gradients `expected`, or raises the error that says what was changed."""
    try:
        got = found()
    except RuntimeError as reason:
        if "was changed in place by" not in str(reason):
            raise
    else:
        assert_all_close(got, expected)


def forward(row, case):
    mt.manual_seed(0)
    inputs = row.inputs(case)
    values = row(case, inputs)
    return inputs, values, [*tensors_in(inputs), *tensors_in(values)]


def gradients(values, inputs, order):
    """At order 2 the first derivative, on the tape; at order 1 the values themselves."""
    return pulled(values, moving(inputs), 8, create_graph=True) if order == 2 else values


@every_case
def test_a_change_behind_an_operation_spoils_no_gradient(row, case):
    for order in (1, 2):
        inputs, values, involved = forward(row, case)
        expected = pulled(gradients(values, inputs, order), moving(inputs), 9)
        for position in range(len(involved)):
            inputs, values, involved = forward(row, case)
            recorded = gradients(values, inputs, order)
            if changed(involved[position]):
                right_or_refused(functools.partial(pulled, recorded, moving(inputs), 9), expected)
