"""Input that is of another kind than its annotation, or impossible: refused in a sentence that names the function."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F

X = mt.tensor([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]])


# ---- what is of another kind than the annotation says --------------------------------------------------------------------

OTHER_KINDS = {
    r"sum: expected keepdim to be True or False, got 1 \(int\)": lambda: X.sum(0, 1),
    "argsort: expected descending to be True or False, got 'no'": lambda: X.argsort(0, "no"),
    "dropout: expected training to be True or False, got 'no'": lambda: F.dropout(X, 0.5, training="no"),
    "softmax: expected dim to be a whole number, got 1.5": lambda: F.softmax(X, 1.5),
    "elu: expected alpha to be a number, got None": lambda: F.elu(X, None),
    "tril: expected diagonal to be a whole number, got '1'": lambda: X.tril("1"),
    "multinomial: expected num_samples to be a whole number, got 1.5": lambda: mt.ones(3).multinomial(1.5),
    "arange: expected start to be a number, got '2'": lambda: mt.arange("2"),
    "full: expected fill_value to be a number, got None": lambda: mt.full((2,), None),
    r"randperm: expected n to be a whole number, got \[1\]": lambda: mt.randperm([1]),
    "add: expected alpha to be a number, got 1j": lambda: mt.add(X, X, alpha=1j),
    "repeat_interleave: expected repeats to be a whole number, got 1.5": lambda: X.repeat_interleave(1.5),
    r"zeros: expected each length to be a whole number, got tensor\(\[1, 2\]\)": lambda: mt.zeros(mt.tensor([1, 2])),
    "roll: expected each shift to be a whole number, got 1.5": lambda: X.roll(1.5, 0),
    "narrow: expected start to be a whole number, got '1'": lambda: X.narrow(0, "1", 1),
    "fill_: expected a number that a tensor of float32 can hold, got None": lambda: X.clone().fill_(None),
    "setitem: expected a number that a tensor of float32 can hold, got '1'": lambda: X.clone().__setitem__(0, "1"),
    "scatter: expected a number that a tensor of float32 can hold, got None": lambda: X.scatter(0, mt.tensor([[0]]), None),
    "index_fill: expected a number that a tensor of float32 can hold, got 1j": lambda: X.index_fill(0, mt.tensor([0]), 1j),
    "exponential_: expected a floating-point tensor, got int64": lambda: mt.tensor([1]).exponential_(),
    r"round: expected numbers, got bool of shape \(1,\)": lambda: mt.tensor([True]).round(),
    "binary_cross_entropy: expected a tensor for weight, got int": lambda: F.binary_cross_entropy(X / 9, X / 9, 7),
    "kl_div: expected target to be floating-point, got int64": lambda: F.kl_div(X, X.long()),
    "kl_div: expected a tensor for input, got float": lambda: F.kl_div(2.5, X),
    "zeros: expected requires_grad to be True or False, got 'no'": lambda: mt.zeros(2, requires_grad="no"),
    "exp: expected a tensor as out=, got list": lambda: mt.exp(X, out=[X]),
    "sort: expected several tensors as out=, got Tensor": lambda: mt.sort(X, out=mt.empty(0)),
    "equal: expected nothing as out=, got Tensor": lambda: mt.equal(X, X, out=mt.empty(0)),
    "normal: dtype goes with numbers": lambda: mt.normal(X, X.exp(), dtype=mt.float64),
}


@pytest.mark.parametrize("match", OTHER_KINDS)
def test_what_is_of_another_kind_is_refused_by_name(match):
    with pytest.raises(TypeError, match=f"^{match}"):
        OTHER_KINDS[match]()


IMPOSSIBLE = {
    r"reshape: shape \(2, 3\), of 6 elements, cannot become \(-3, 2\)": lambda: mt.ones(2, 3).reshape(-3, 2),
    "arange: the number 9223372036854775809 cannot be kept": lambda: mt.arange(2**63 - 1, 2**63 + 1),
    "linspace: the number nan cannot be kept": lambda: mt.linspace(math.nan, 4, 5, dtype=mt.int64),
    "fill_: the number nan cannot be kept": lambda: mt.tensor([1]).fill_(math.nan),
    "range: no step of 2 leads from 1 to 0": lambda: mt.range(1, 0, 2),
    "randint: uint8 cannot hold all numbers from 0 to 299": lambda: mt.randint(300, (2,), dtype=mt.uint8),
    "random_: int8 cannot hold all numbers from 0 to 299": lambda: mt.zeros(2, dtype=mt.int8).random_(300),
    "random_: bool cannot hold all numbers from 0 to 4": lambda: mt.zeros(2, dtype=mt.bool).random_(5),
    "randint: float16 cannot hold all numbers from 0 to 3999": lambda: mt.randint(4000, (2,), dtype=mt.float16),
    "randperm: uint8 cannot hold all numbers from 0 to 299": lambda: mt.randperm(300, dtype=mt.uint8),
    "uniform_: expected finite bounds in order, not farther apart than 65504": lambda: mt.ones(2).half().uniform_(0, 1e5),
    "random_: expected low < high, got 0 and 0": lambda: mt.tensor([1]).random_(0),
    "normal_: expected a standard deviation of 0 or more, got -1": lambda: mt.ones(2).normal_(0, -1),
    "uniform_: expected finite bounds in order, not .*, got 1 and 0": lambda: mt.ones(2).uniform_(1, 0),
    "smooth_l1_loss: ": lambda: F.smooth_l1_loss(X, X, beta=math.nan),
    "huber_loss: ": lambda: F.huber_loss(X, X, delta=math.nan),
    r"randperm: expected lengths of 0 or more, got \(-1,\)": lambda: mt.randperm(-1),
    "eye: negative dimensions are not allowed": lambda: mt.eye(-1),  # NumPy's words, with the name of the function
}


@pytest.mark.parametrize("match", IMPOSSIBLE)
def test_impossible_numbers_are_refused_by_name(match):
    with pytest.raises(ValueError, match=f"^{match}"):
        IMPOSSIBLE[match]()


@pytest.mark.parametrize("half", [np.float64(0.5), np.float32(0.5), mt.tensor(0.5, dtype=mt.float64)])
def test_a_number_of_numpy_or_in_a_0d_tensor_is_pythons_and_widens_nothing(half):
    x = mt.tensor([-1.0, 2.0])
    for function, what in ((F.elu, "alpha"), (F.leaky_relu, "negative_slope"), (F.softplus, "beta"), (F.celu, "alpha")):
        out = function(x, **{what: half})
        assert out.dtype == mt.float32 and out.equal(function(x, 0.5))


def test_a_weight_of_float64_does_not_widen_a_loss():
    for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        out, same = (loss(X / 9, X / 9, mt.tensor([1.0, 2.0, 3.0], dtype=dtype)) for dtype in (mt.float64, mt.float32))
        assert out.dtype == mt.float32 and out.equal(same)


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "var", "std", "norm", "count_nonzero"])
def test_no_dims_are_all_dims_as_in_pytorch(name):
    x = mt.tensor([[1.0, 0.0, 3.0], [4.0, 5.0, 7.0]])
    assert getattr(mt, name)(x, dim=()).equal(getattr(mt, name)(x)) and getattr(mt, name)(x, dim=[]).ndim == 0


def test_layer_norm_over_nothing_is_nothing():
    x = mt.ones(2, 0, requires_grad=True)
    y = F.layer_norm(x, (0,))
    y.sum().backward()
    assert y.shape == x.grad.shape == (2, 0)


@pytest.mark.parametrize("name", ["sum", "cumsum", "cumprod", "prod"])
def test_a_dtype_that_is_given_is_the_results(name):
    for dtype in (mt.int32, mt.uint8, mt.float64):
        assert getattr(mt, name)(mt.ones(2, 3), dim=0, dtype=dtype).dtype == dtype


def test_another_librarys_tensor_is_named_with_what_to_write():
    other = type("Tensor", (), {"__module__": "torch"})()
    for function in (F.relu, mt.exp, mt.sum):
        with pytest.raises(TypeError, match=r": input is a torch.Tensor; write from_dlpack\(input\)$"):
            function(other)
    with pytest.raises(ValueError, match="max_pool2d: expected stride to be one or two whole numbers of at least 1, got True"):
        F.max_pool2d(mt.ones(1, 1, 4, 4), 2, True)


IMAGE = mt.ones(1, 3, 4, 0)  # without pixels


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.max_pool2d(IMAGE, 2, padding=1),
        lambda: F.conv2d(IMAGE, mt.ones(2, 3, 1, 1), padding=1),
        lambda: F.conv2d(mt.ones(1, 3, 4, 4), mt.ones(2, 3, 0, 1)),
        lambda: F.conv_transpose2d(IMAGE, mt.ones(3, 2, 3, 3)),
        lambda: F.adaptive_avg_pool2d(mt.ones(1, 3, 4, 4), (2, 3, 1)),
    ],
)
def test_windows_over_nothing_and_sizes_too_many_are_refused(call):
    with pytest.raises(ValueError, match=r"^\w+2d: (a window|a filter|nothing is left|expected output_size)"):
        call()


@pytest.mark.parametrize("two", [np.int64(2), mt.tensor(2), [2]])
def test_sizes_may_be_whole_numbers_of_numpy_and_in_0d_tensors(two):
    x = mt.ones(1, 3, 8, 8)
    assert F.max_pool2d(x, two).shape == F.avg_pool2d(x, 2, two).shape == (1, 3, 4, 4)
    assert F.adaptive_avg_pool2d(x, two).shape == (1, 3, 2, 2) and F.max_pool1d(x[0], two).shape == (3, 8, 4)
