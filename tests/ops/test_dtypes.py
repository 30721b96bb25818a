"""Element types: float32 stays float32 whatever stands beside it, and what integers and booleans become."""

import operator
import threading

import numpy as np
import pytest

import layers as nn
import minitorch as mt

# fmt: off
ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "//": operator.floordiv, "%": operator.mod,
}
# fmt: on
COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# what may stand beside a float32 tensor of one or more dimensions without widening it
# fmt: off
BESIDE = {
    "a Python float": 2.0, "a Python int": 2, "a Python bool": True, "np.float64": np.float64(2), "np.float32": np.float32(2),
    "np.int64": np.int64(2), "np.bool_": np.bool_(True), "np.sqrt": np.sqrt(4), "a 0-d array": np.array(2.0),
    "a 0-d float64 tensor": mt.tensor(2.0, dtype=mt.float64), "a 0-d int64 tensor": mt.tensor(2),
    "an int64 tensor": mt.tensor([2, 2]), "a bool tensor": mt.tensor([True, True]), "a uint8 tensor": mt.tensor(
        [2, 2], dtype=mt.uint8), "a float16 tensor": mt.tensor([2.0, 2.0], dtype=mt.float16),
    "an int64 array": np.array([2, 2]),
}
# fmt: on


@pytest.fixture
def default_dtype():
    yield mt.set_default_dtype
    mt.set_default_dtype(mt.float32)


def array_of(value):
    return value.numpy() if isinstance(value, mt.Tensor) else value


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("sign", ARITHMETIC)
def test_float32_stays_float32_beside(sign, beside):
    function, other = ARITHMETIC[sign], BESIDE[beside]
    x = mt.tensor([1.5, 2.5], requires_grad=True)
    if sign == "-" and np.asarray(array_of(other)).dtype == bool:
        for call in (lambda: x - other, lambda: other - x):
            with pytest.raises(TypeError, match=r"^sub: booleans cannot be subtracted; use ~ or logical_xor"):
                call()
        return
    for out, expected in (
        (function(x, other), function(x.detach().numpy().astype(np.float64), array_of(other) * 1)),
        (function(other, x), function(array_of(other) * 1, x.detach().numpy().astype(np.float64))),
    ):
        assert isinstance(out, mt.Tensor) and out.dtype == mt.float32
        np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-6)
        if sign not in ("//",):
            x.grad = None
            out.sum().backward()
            assert x.grad.dtype == mt.float32


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("sign", COMPARISONS)
def test_comparisons_give_booleans_beside(sign, beside):
    x, other = mt.tensor([1.5, 2.0]), BESIDE[beside]
    for one, two in ((x, other), (other, x)):
        out = COMPARISONS[sign](one, two)
        assert isinstance(out, mt.Tensor) and out.dtype == mt.bool
        assert out.tolist() == COMPARISONS[sign](np.float64(array_of(one)), np.float64(array_of(two))).tolist()


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**"])
def test_a_0d_tensor_stays_float32_beside_numbers(sign):
    x = mt.tensor(1.5)
    for other in (2.0, 2, np.float64(2), np.int64(2), mt.tensor(2), *([] if sign == "-" else [True])):
        assert ARITHMETIC[sign](x, other).dtype == mt.float32
        assert ARITHMETIC[sign](other, x).dtype == mt.float32


def test_two_dtypes_of_one_kind_meet_in_the_wider_one():
    narrow, wide = mt.ones(2), mt.ones(2, dtype=mt.float64)
    assert (narrow + wide).dtype == (wide + narrow).dtype == mt.float64
    assert (mt.ones(2, dtype=mt.int32) + mt.ones(2, dtype=mt.int64)).dtype == mt.int64
    assert (mt.ones(2, dtype=mt.uint8) + mt.ones(2, dtype=mt.int8)).dtype == mt.int16


@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/="])
@pytest.mark.parametrize("other", [2.0, np.float64(2), np.array([2.0, 2.0])], ids=["float", "np.float64", "float64 array"])
def test_float32_stays_float32_in_place(sign, other):
    names = {"x": mt.tensor([1.5, 2.5]), "other": other}
    exec(f"x {sign} other", names)
    assert names["x"].dtype == mt.float32


@pytest.mark.parametrize(
    "function",
    [
        mt.exp,
        mt.log,
        mt.log1p,
        mt.sqrt,
        mt.rsqrt,
        mt.sin,
        mt.cos,
        mt.tanh,
        mt.sigmoid,
        mt.relu,
        mt.abs,
        mt.square,
        mt.reciprocal,
        mt.sum,
        mt.mean,
        mt.prod,
        mt.var,
        mt.std,
        mt.max,
        mt.min,
        mt.norm,
        mt.cumsum,
        mt.logsumexp,
        mt.softmax,
        mt.log_softmax,
        mt.neg,
        mt.floor,
        mt.sign,
        mt.erf,
    ],
    ids=lambda function: function.__name__,
)
def test_functions_and_their_gradients_stay_float32(function):
    x = mt.tensor([0.5, 1.5, 2.5], requires_grad=True)
    out = function(x, 0) if function in (mt.cumsum, mt.logsumexp) else function(x)
    out.sum().backward()
    assert out.dtype == mt.float32 and x.grad.dtype == mt.float32


def test_choices_and_bounds_stay_float32():
    x = mt.tensor([0.5, 1.5])
    assert mt.where(x > 1, x, 0.0).dtype == mt.where(x > 1, 1, x).dtype == mt.float32
    assert mt.where(x > 1, 1.0, 0.0).dtype == mt.float32 and mt.where(x > 1, 1, 0).dtype == mt.int64
    assert x.clamp(0, np.float64(1)).dtype == x.masked_fill(x > 1, np.float64(2)).dtype == mt.float32
    assert mt.maximum(x, mt.tensor(1.0, dtype=mt.float64)).dtype == mt.float32


# ---- integers and booleans -----------------------------------------------------------------------------------------------


def test_a_quotient_of_integers_is_a_float():
    one, two = mt.tensor([1, 3]), mt.tensor([2, 2])
    for out in (one / two, one / 2, one / np.int64(2), one.div(two)):
        assert out.dtype == mt.float32 and out.tolist() == [0.5, 1.5]
    assert (1 / two).tolist() == [0.5, 0.5] and (1 / two).dtype == mt.float32
    assert (mt.tensor([True]) / 2).dtype == mt.float32 and (mt.tensor([4], dtype=mt.uint8) / 2).dtype == mt.float32


def test_a_floored_quotient_of_integers_is_an_integer():
    out = mt.tensor([7, -7]) // 2
    assert out.dtype == mt.int64 and out.tolist() == [3, -4]
    assert (mt.tensor([7, -7]) % 3).tolist() == [1, 2]


def test_a_python_float_makes_a_float_of_integers():
    for other in (0.5, np.float64(0.5), np.float32(0.5)):
        out = mt.tensor([1, 2]) * other
        assert out.dtype == mt.float32 and out.tolist() == [0.5, 1.0]
    assert (mt.tensor([1, 2]) * 2).dtype == mt.int64 and (mt.tensor([1], dtype=mt.int32) * 2).dtype == mt.int32
    assert (mt.tensor([True]) + 1).dtype == mt.int64 and (mt.tensor([True]) * 0.5).dtype == mt.float32


def test_integers_and_booleans_are_summed_as_int64():
    for x in (mt.tensor([200, 100], dtype=mt.uint8), mt.tensor([150, 150], dtype=mt.int32)):
        assert x.sum().item() == 300 and x.sum().dtype == x.cumsum(0).dtype == x.prod().dtype == mt.int64
    assert mt.tensor([True, True]).sum().item() == 2


def test_a_mean_of_integers_is_refused():
    for x in (mt.tensor([1, 2]), mt.tensor([True])):
        for function in (mt.mean, mt.var, mt.std):
            with pytest.raises(TypeError, match=rf"(mean|var|std): expected a floating-point tensor, got {x.dtype}; .*float"):
                function(x)
    assert mt.tensor([1, 2]).mean(dtype=mt.float32).item() == 1.5


def test_a_floating_function_of_integers_gives_the_default_dtype(default_dtype):
    x = mt.tensor([1, 4])
    for function in (mt.exp, mt.log, mt.sqrt, mt.sin, mt.cos, mt.tanh, mt.sigmoid, mt.softmax):
        assert function(x).dtype == mt.float32
    default_dtype(mt.float64)
    assert x.sqrt().dtype == mt.float64 and (x / 2).dtype == mt.float64


def test_integers_do_not_require_gradients():
    with pytest.raises(TypeError, match="requires_grad: only floating-point tensors have gradients, this one is int64"):
        mt.tensor([1, 2], requires_grad=True)
    for make in (
        lambda: mt.zeros(2, dtype=mt.int64, requires_grad=True),
        lambda: mt.tensor([True]).requires_grad_(),
        lambda: mt.arange(3, requires_grad=True),
        lambda: mt.empty(2, dtype=mt.uint8, requires_grad=True),
    ):
        with pytest.raises(TypeError, match="only floating-point tensors have gradients"):
            make()


def test_booleans_beside_a_python_boolean_stay_booleans():
    x = mt.tensor([True, False])
    assert (x + True).dtype == (x * False).dtype == mt.bool and (x + 1).dtype == mt.int64


def test_a_choice_between_two_numbers_has_the_dtype_they_would_have():
    mask = mt.tensor([True, False])
    for first, second, dtype in ((1, 0, mt.int64), (True, False, mt.bool), (1, False, mt.int64), (1.0, 0, mt.float32)):
        out = mt.where(mask, first, second)
        assert out.dtype == dtype and out.tolist() == [first, second]


@pytest.mark.parametrize("function", [mt.mul, mt.div, mt.pow], ids=lambda function: function.__name__)
def test_operands_of_two_dtypes_have_the_second_derivatives_of_one(function):
    def derivatives(dtype, other):
        x = mt.tensor([[1.5, 2.0], [0.5, 3.0]], dtype=dtype, requires_grad=True)
        y = mt.tensor([[2.0, 3.0], [1.0, 0.5]], dtype=other, requires_grad=True)
        first = mt.autograd.grad(function(x, y).sum(), [x, y], create_graph=True)
        return [mt.autograd.grad(g.sum(), v, retain_graph=True)[0] for g, v in ((first[0], y), (first[1], x))]

    expected = derivatives(mt.float64, mt.float64)
    for dtypes in ((mt.float64, mt.float32), (mt.float32, mt.float64)):
        for found, wanted in zip(derivatives(*dtypes), expected):
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)


def test_a_difference_of_booleans_is_refused():
    with pytest.raises(TypeError, match=r"sub: .*logical_xor.*\(inputs: \(1,\) bool, \(1,\) bool\)"):
        mt.tensor([True]) - mt.tensor([False])


# ---- what tensor() makes of numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, dtype",
    [
        (1.0, "float32"),
        (1, "int64"),
        (True, "bool"),
        ([1.0, 2], "float32"),
        ([1, 2], "int64"),
        ([True, False], "bool"),
        ([True, 2], "int64"),
        ([], "float32"),
        ([[1.0], [2.0]], "float32"),
        ((1, 2), "int64"),
        (np.ones(2), "float64"),
        (np.ones(2, np.float32), "float32"),
        (np.ones(2, np.int32), "int32"),
        (np.array(1.0), "float64"),
        (np.float64(1), "float64"),
        (np.float32(1), "float32"),
        (np.int32(1), "int32"),
        ([np.float64(1), 2.0], "float64"),
        ([1.0, np.float32(2)], "float32"),
        ([np.int32(1), np.int32(2)], "int32"),
        ([np.ones(2), [1.0, 2.0]], "float64"),
        ([mt.tensor(1.0), 2.0], "float32"),
        ([mt.tensor(1), mt.tensor(2)], "int64"),
        ([mt.tensor(1.0, dtype=mt.float64)], "float64"),
        (mt.ones(2, dtype=mt.float16), "float16"),
    ],
    ids=repr,
)
def test_python_numbers_take_the_default_dtype_and_others_keep_theirs(data, dtype):
    assert mt.tensor(data).dtype == np.dtype(dtype)
    assert mt.tensor(data, dtype=mt.float32).dtype == mt.float32


# fmt: off
TAKE_A_DTYPE = {
    "zeros": lambda dtype: mt.zeros(2, dtype=dtype), "empty": lambda dtype: mt.empty(2, dtype=dtype),
    "full": lambda dtype: mt.full((2,), 1, dtype=dtype), "eye": lambda dtype: mt.eye(2, dtype=dtype),
    "arange": lambda dtype: mt.arange(2, dtype=dtype), "linspace": lambda dtype: mt.linspace(0, 1, 2, dtype=dtype),
    "zeros_like": lambda dtype: mt.zeros_like(mt.ones(2), dtype=dtype), "tensor": lambda dtype: mt.tensor([1.0], dtype=dtype),
    "as_tensor": lambda dtype: mt.as_tensor(np.ones(2), dtype=dtype), "randn": lambda dtype: mt.randn(2, dtype=dtype),
    "randint": lambda dtype: mt.randint(3, (2,), dtype=dtype), "to": lambda dtype: mt.ones(2).to(dtype),
    "type": lambda dtype: mt.ones(2).type(dtype), "sum": lambda dtype: mt.ones(2).sum(dtype=dtype),
    "softmax": lambda dtype: mt.ones(2).softmax(0, dtype), "tril_indices": lambda dtype: mt.tril_indices(2, 2, dtype=dtype),
    "a layer": lambda dtype: nn.Linear(2, 2, dtype=dtype), "set_default_dtype": mt.set_default_dtype,
}
# fmt: on


@pytest.mark.parametrize("dtype", [mt.bfloat16, object, str, list, nn.Parameter, np.longdouble, ">f4", "datetime64[s]"])
@pytest.mark.parametrize("name", TAKE_A_DTYPE)
def test_a_dtype_that_tensors_cannot_have_is_refused(name, dtype):
    with pytest.raises(TypeError, match=r"expected (numbers|a floating dtype)"):
        TAKE_A_DTYPE[name](dtype)


def test_bfloat16_is_refused_by_its_name():
    with pytest.raises(TypeError, match="to: expected numbers, got bfloat16, which NumPy does not have: use float32"):
        mt.ones(2).to(mt.bfloat16)


def test_the_class_of_tensors_as_a_type_is_the_default_dtype(default_dtype):
    for kind in (mt.Tensor, "torch.Tensor"):
        assert mt.tensor([1, 2]).type(kind).dtype == mt.float32
    default_dtype(mt.float64)
    assert mt.tensor([1, 2]).type(mt.Tensor).dtype == mt.float64


@pytest.mark.parametrize("data", ["text", ["a"], None, [None], {}, np.array(["a"]), np.array([object()])])
def test_what_is_not_numeric_is_refused(data):
    with pytest.raises(TypeError, match="tensor: expected numbers, got"):
        mt.tensor(data)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="tensor: nested sequences of unequal lengths"):
        mt.tensor([[1, 2], [3]])


def test_the_default_dtype_is_what_factories_make(default_dtype):
    assert mt.get_default_dtype() == mt.float32
    default_dtype(mt.float64)
    made = [
        mt.tensor(1.0),
        mt.zeros(1),
        mt.ones(1),
        mt.empty(1),
        mt.full((1,), 1.0),
        mt.rand(1),
        mt.randn(1),
        mt.eye(1),
        mt.linspace(0, 1, 2),
        mt.arange(1.0),
    ]
    assert {tensor.dtype for tensor in made} == {mt.float64}
    assert mt.arange(1).dtype == mt.tensor([1]).dtype == mt.int64
    assert (mt.ones(1, dtype=mt.float32) * 2.0).dtype == mt.float32


def test_the_default_dtype_is_that_of_the_whole_process_as_in_pytorch(default_dtype):
    default_dtype(mt.float64)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(mt.zeros(1).dtype))
    thread.start()
    thread.join()
    assert seen == [mt.float64] and mt.zeros(1).dtype == mt.float64


@pytest.mark.parametrize("dtype", [mt.int64, mt.bool, "U3"])
def test_only_a_floating_dtype_can_be_the_default(default_dtype, dtype):
    with pytest.raises(TypeError, match="set_default_dtype: expected a floating dtype"):
        default_dtype(dtype)
    assert mt.get_default_dtype() == mt.float32


# ---- casts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cast, dtype",
    [
        (lambda x: x.float(), mt.float32),
        (lambda x: x.double(), mt.float64),
        (lambda x: x.half(), mt.float16),
        (lambda x: x.long(), mt.int64),
        (lambda x: x.int(), mt.int32),
        (lambda x: x.bool(), mt.bool),
        (lambda x: x.byte(), mt.uint8),
        (lambda x: x.short(), mt.int16),
        (lambda x: x.to(mt.float64), mt.float64),
        (lambda x: x.to(dtype=mt.float64), mt.float64),
        (lambda x: x.to("cpu", mt.float64), mt.float64),
        (lambda x: x.type(mt.float64), mt.float64),
        (lambda x: x.to(mt.zeros(1, dtype=mt.float64)), mt.float64),
        (lambda x: x.type_as(mt.zeros(1, dtype=mt.float64)), mt.float64),
    ],
)
def test_casts_have_the_dtype_they_name(cast, dtype):
    x = mt.tensor([0.0, 1.75])
    assert cast(x).dtype == dtype
    assert cast(x).tolist() == x.numpy().astype(dtype).tolist()


def test_a_cast_to_its_own_dtype_is_the_tensor_itself():
    x = mt.ones(2)
    assert x.float() is x and x.to(mt.float32) is x and x.to("cpu") is x and x.type_as(x) is x
    assert x.to(mt.float32, copy=True) is not x


def test_gradients_pass_through_a_cast_in_the_dtype_of_the_input():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    out = x.double() * mt.tensor([0.1, 0.2], dtype=mt.float64)
    assert out.dtype == mt.float64
    out.sum().backward()
    assert x.grad.dtype == mt.float32 and x.grad.tolist() == mt.tensor([0.1, 0.2]).tolist()
    (g,) = mt.autograd.grad((x.double() ** 3).sum(), x, create_graph=True)
    assert g.dtype == mt.float32 and mt.autograd.grad(g.sum(), x)[0].tolist() == [6.0, 12.0]


def test_a_cast_to_integers_ends_the_graph():
    x = mt.tensor([1.5], requires_grad=True)
    for out in (x.long(), x.bool(), x.to(mt.uint8), x > 1, x.argmax()):
        assert not out.requires_grad and out.is_leaf


def test_type_without_a_dtype_gives_the_name_of_pytorchs_type():
    assert mt.ones(1).type() == "torch.FloatTensor" and mt.tensor([1]).is_floating_point() is False


def test_a_complex_number_of_python_takes_the_default_precision():
    for made in (mt.tensor([1 + 2j]), mt.tensor(1j), mt.full((2,), 1j)):
        assert made.dtype == mt.complex64 and abs(made.numpy().imag).all()
    assert mt.tensor([np.complex128(1j)]).dtype == mt.complex128


@pytest.mark.parametrize("equation", ["i,i->", "i,i->i", "i,j->ij"])
@pytest.mark.parametrize("dtype", [mt.float32, mt.complex64], ids=str)
def test_einsum_of_whole_numbers_and_others_has_the_dtype_of_the_others(equation, dtype):
    whole, other = mt.tensor([1, 2]), mt.tensor([0.5, 2.0], dtype=dtype, requires_grad=dtype == mt.float32)
    assert mt.einsum(equation, whole, other).dtype == mt.einsum(equation, other, whole).dtype == dtype
