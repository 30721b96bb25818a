"""Names around tensors that teaching code uses: types, wrappers, in-place forms, keywords, draws, and what has no meaning on one device."""

from __future__ import annotations

import inspect
import itertools
import math
import types

import numpy as np
import pytest

import layers as nn
import minitorch as mt
import minitorch.functional as F
from minitorch import Tensor
from minitorch.autograd import Variable
from tests.op_table import ROWS
from tests.op_table.checks import assert_all_close, moving, pulled
from tests.op_table.row import spread


def test_a_tensor_type_makes_tensors_and_tells_them():
    assert mt.FloatTensor(2, 3).shape == (2, 3) and mt.FloatTensor([1, 2]).dtype == mt.float32
    assert mt.LongTensor([1, 2]).tolist() == [1, 2] and mt.ByteTensor(3).dtype == mt.uint8
    assert isinstance(mt.ones(1), mt.FloatTensor) and not isinstance(mt.ones(1), mt.LongTensor)
    assert str(mt.cuda.FloatTensor) == "torch.cuda.FloatTensor"
    assert (
        mt.ones(2).type(mt.LongTensor).type() == "torch.LongTensor"
        and mt.ones(2).type("torch.DoubleTensor").dtype == mt.float64
    )
    assert mt.ones(2, dtype=mt.float64).new([1, 2]).dtype == mt.float64 and mt.ones(2).new(3).shape == (3,)


def test_a_variable_is_a_leaf_with_the_memory_of_a_tensor_and_every_tensor_is_one():
    x = mt.ones(2)
    v = Variable(x, requires_grad=True)
    assert v.requires_grad and np.shares_memory(v.array, x.array) and isinstance(x, Variable)
    with pytest.raises(TypeError, match=r"^Variable: expected a Tensor, got list"):
        Variable([1.0])


def test_inference_mode_records_nothing():
    x = mt.ones(1, requires_grad=True)
    with mt.inference_mode():
        assert not (x * 2).requires_grad
    with mt.inference_mode(False):
        assert (x * 2).requires_grad

    @mt.inference_mode()
    def double(y):
        return y * 2

    assert not double(x).requires_grad


def forms_in_place():
    """Each row whose function has a form in place that is made by the rule, and that form."""
    for row in ROWS:
        method = getattr(Tensor, f"{row.name}_", None)
        if method is not None and not row.name.endswith("_") and isinstance(row.cases[0].inputs[0], np.ndarray):
            yield pytest.param(row, method, id=row.name)


@pytest.mark.parametrize("row, method", list(forms_in_place()))
def test_a_form_in_place_gives_what_the_function_gives(row, method):
    tried = 0
    for case in row.cases:
        if not isinstance(case.inputs[0], np.ndarray) or case.inputs[0].dtype.kind != "f":
            continue
        inputs, others = row.inputs(case), row.inputs(case)
        values = row(case, inputs)
        if len(values) > 1 or values[0].dtype != inputs[0].dtype:
            continue
        clone = others[0].clone()
        if values[0].shape != clone.shape and values[0].numel() != clone.numel():
            continue
        assert method(clone, *others[1:], **case.parameters) is clone
        assert_all_close((clone,), values)
        assert_all_close(pulled((clone,), moving(others), 8), pulled(values, moving(inputs), 8))
        tried += 1
    assert tried


def test_a_leaf_that_requires_a_gradient_is_not_given_another_shape():
    with pytest.raises(RuntimeError, match=r"^t_: a leaf of shape \(2, 3\) that requires a gradient"):
        mt.ones(2, 3, requires_grad=True).t_()
    with pytest.raises(RuntimeError, match=r"^resize_: .*\(2,\).* cannot be resized"):
        mt.ones(2, requires_grad=True).resize_(3)
    x = mt.arange(4).resize_(2, 2)
    assert x.tolist() == [[0, 1], [2, 3]] and x.resize_(3).tolist() == [0, 1, 2] and x.resize_(5).shape == (5,)


def test_out_receives_the_result_and_records_nothing():
    x, out = mt.ones(2, 3), mt.zeros(2, 3)
    assert mt.matmul(x, mt.ones(3, 3), out=out) is out and out.tolist() == [[3.0] * 3] * 2
    assert mt.sum(x, axis=1, keepdims=True, out=mt.zeros(0)).shape == (2, 1)
    with pytest.raises(RuntimeError, match=r"^add: out= records nothing"):
        mt.add(x.requires_grad_(), 1, out=out)
    with pytest.raises(TypeError, match=r"^add: a float32 result cannot be put into a int64 tensor"):
        mt.add(mt.ones(2), 1, out=mt.zeros(2, dtype=mt.int64))
    with pytest.warns(UserWarning, match=r"^add: out= of shape \(3,\) gets shape \(2,\) and memory of its own"):
        assert mt.add(mt.ones(2), 1, out=mt.zeros(3)).tolist() == [2.0, 2.0]
    whole = mt.add(mt.arange(2), 1, out=mt.zeros(0))
    assert whole.dtype == mt.float32 and mt.add(mt.arange(2), 1, out=whole) is whole and whole.tolist() == [1.0, 2.0]
    y = mt.ones(4)
    with pytest.raises(
        RuntimeError, match=r"^add: out= of shape \(3,\) shares memory with an input of shape \(3,\)|^add: out="
    ):
        mt.add(y[:-1], 1, out=y[1:].view(3, 1))
    with pytest.raises(RuntimeError, match=r"^cat: out= of shape \(4,\) shares memory with an input of shape \(4,\)"):
        mt.cat((mt.zeros(0), y), out=y)


@pytest.mark.parametrize("fill", [mt.arange, mt.range, mt.linspace, mt.logspace])
def test_a_range_fills_a_view_of_as_many_elements(fill):
    whole, steps = mt.zeros(2, 3), [4] if fill in (mt.linspace, mt.logspace) else []
    expected = fill(0.0, 4.0 if fill is mt.arange else 3.0, *steps)
    fill(0.0, 4.0 if fill is mt.arange else 3.0, *steps, out=whole.narrow(1, 1, 2))
    assert whole[:, 1:].flatten().tolist() == expected.tolist() and not whole[:, 0].any()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: mt.argmax(x, 1, out=mt.zeros(2)),
        lambda x: mt.multinomial(x, 1, out=mt.zeros(2, 1)),
        lambda x: mt.max(x, 1, out=(mt.zeros(2), mt.zeros(2))),
        lambda x: mt.sort(x, 1, out=(mt.zeros(2, 3, dtype=mt.float64), mt.zeros(2, 3, dtype=mt.int64))),
    ],
    ids=["argmax", "multinomial", "max", "sort"],
)
def test_positions_and_parts_of_a_result_are_put_into_tensors_of_their_own_dtype_alone(call):
    with pytest.raises(TypeError, match=r"^(argmax|multinomial|max|sort): a .* result cannot be put into a float"):
        call(mt.ones(2, 3))


def test_two_numbers_give_a_tensor():
    results = mt.add(2, 3), mt.sub(2, 3.5), mt.mul(True, 2), mt.sub(-8, 6, alpha=2), mt.div(True, 2)
    assert [x.tolist() for x in results] == [5, -1.5, 2, -20, 0.5]
    assert [x.dtype for x in results] == [mt.int64, mt.float32, mt.int64, mt.int64, mt.float32]


@pytest.mark.parametrize("name", ["add", "sub", "addcmul", "addcdiv"])
def test_a_factor_before_the_tensors_as_in_old_scripts_is_taken_with_a_warning(name):
    others = [mt.tensor([3.0, 4.0])] * (2 if "addc" in name else 1)
    word = "value" if "addc" in name else "alpha"
    for form in (getattr(mt, name), getattr(Tensor, name), getattr(Tensor, f"{name}_")):
        with pytest.warns(UserWarning, match=rf"^{name}_?: a number before the tensors .* write {word}=-0.5"):
            found = form(mt.ones(2), -0.5, *others)
        assert found.equal(getattr(mt, name)(mt.ones(2), *others, **{word: -0.5}))
        with pytest.raises(TypeError):
            form(mt.ones(2), 2, [3])


def test_the_identity_is_the_power_0_of_every_matrix():
    for matrices in (mt.zeros(2, 2), mt.full((3, 2, 2), math.nan), mt.zeros(2, 2, dtype=mt.int64)):
        found = mt.linalg.matrix_power(matrices, 0)
        assert found.dtype == matrices.dtype and found.equal(mt.eye(2, dtype=matrices.dtype).expand(matrices.shape))


def test_an_argument_given_twice_under_two_names_is_refused():
    with pytest.raises(TypeError, match=r"^sum: dim is given twice, as axis too"):
        mt.sum(mt.ones(2), dim=0, axis=0)


# ---- draws ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_of_no_rows_draws_nothing(replacement):
    drawn = mt.multinomial(mt.ones(0, 3), 2, replacement)
    assert (drawn.shape, drawn.dtype) == ((0, 2), mt.int64)


def test_multinomial_draws_categories_by_their_weights():
    mt.manual_seed(0)
    weights = mt.tensor([[0.0, 1.0, 3.0], [2.0, 0.0, 0.0]])
    drawn = mt.multinomial(weights, 4000, replacement=True)
    assert drawn.dtype == mt.int64 and drawn.shape == (2, 4000) and not (drawn[0] == 0).any() and not drawn[1].any()
    assert abs(float((drawn[0] == 2).float().mean()) - 0.75) < 0.035  # five standard deviations, and the seed is fixed
    once = mt.multinomial(mt.ones(50), 50)
    assert once.sort().values.tolist() == list(range(50))
    for bad in (mt.tensor([-1.0, 2.0]), mt.tensor([0.0, 0.0]), mt.tensor([float("nan"), 1.0])):
        with pytest.raises(ValueError, match=r"^multinomial: expected finite weights of 0 or more"):
            mt.multinomial(bad, 1)
    with pytest.raises(ValueError, match=r"^multinomial: 2 different categories cannot be drawn"):
        mt.multinomial(mt.tensor([0.0, 1.0]), 2)
    with pytest.raises(TypeError, match=r"^multinomial: expected floating-point weights"):
        mt.multinomial(mt.tensor([1, 2]), 1)


def test_normal_draws_by_numbers_and_by_tensors():
    mt.manual_seed(0)
    x = mt.normal(2.0, 3.0, size=(100, 100))
    assert x.shape == (100, 100) and abs(float(x.mean()) - 2) < 0.15 and abs(float(x.std()) - 3) < 0.11
    mean = mt.zeros(3, requires_grad=True)
    drawn = mt.normal(mean, mt.ones(2, 1))
    drawn.backward(mt.full((2, 3), math.inf))
    assert drawn.shape == (2, 3) and mean.grad.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"^normal: expected a standard deviation of 0 or more, got -1"):
        mt.normal(0.0, -1.0, (2,))
    with pytest.raises(ValueError, match=r"^normal: expected a size"):
        mt.normal(0.0, 1.0)


def test_tensors_are_filled_with_draws_in_place():
    mt.manual_seed(0)
    x = mt.zeros(10000)
    assert abs(float(x.bernoulli_(0.3).mean()) - 0.3) < 0.023 and abs(float(x.exponential_(2.0).mean()) - 0.5) < 0.025
    assert set(mt.zeros(100, dtype=mt.int64).random_(2, 5).tolist()) == {2, 3, 4} and mt.zeros(3).random_(4).max() < 4
    for name, bad in (("random_", (3, 3)), ("exponential_", (0.0,))):
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            getattr(x, name)(*bad)


# ---- what one device has not ---------------------------------------------------------------------------------------------


def test_stand_ins_say_what_is_true_here():
    mt.backends.cudnn.benchmark = True
    assert (
        mt.mps.is_available() is mt.backends.mps.is_available() is False
        and mt.accelerator.device_count() == mt.cuda.device_count()
    )
    function = mt.compile(len)
    assert (
        function is len
        and mt.compile(mode="max-autotune")(len) is len
        and mt.jit.script(len) is len
        and mt.jit.trace(len, 1) is len
    )
    with mt.autocast("cuda", dtype=mt.float16):
        assert (mt.ones(1) * 2).dtype == mt.float32
    x = mt.ones(1)
    assert x.pin_memory() is x and mt.cuda.amp.autocast is mt.autocast
    weight, scaler = mt.ones(1, requires_grad=True), mt.cuda.amp.GradScaler(enabled=True)
    optimizer = mt.optim.SGD([weight], 0.5)
    scaler.scale(weight * 1.5).backward()
    scaler.unscale_(optimizer)
    assert weight.grad.item() == 1.5 and scaler.step(optimizer) is None and weight.item() == 0.25
    scaler.update()
    scaler.load_state_dict(scaler.state_dict())
    with pytest.raises(ValueError, match=r"^set_float32_matmul_precision: expected"):
        mt.set_float32_matmul_precision("low")


def test_assert_close_tells_what_differs():
    mt.testing.assert_close({"a": [mt.ones(2)]}, {"a": [mt.ones(2) + 1e-6]})
    mt.testing.assert_allclose(mt.ones(2), mt.ones(2, dtype=mt.float64))
    for actual, expected, match in (
        (mt.ones(2), mt.ones(3), "shape"),
        (mt.ones(2), mt.ones(2, dtype=mt.float64), "expected float64, got float32"),
        (mt.ones(2), mt.tensor([1.0, 1.1]), "1 of 2 elements differ"),
    ):
        with pytest.raises(AssertionError, match=match):
            mt.testing.assert_close(actual, expected)


def test_limits_are_pythons_numbers():
    assert mt.finfo(mt.float32).eps == 2.0**-23 and type(mt.finfo(mt.float64).max) is float and mt.iinfo(mt.int8).min == -128
    with pytest.raises(ValueError, match="Invalid integer data type 'f'"):
        mt.iinfo(mt.float32)


def test_view_as_is_view_with_the_shape_of_another():
    x = mt.arange(6.0)
    y = x.view_as(mt.zeros(2, 3))
    y[0, 0] = 7.0
    assert y.shape == (2, 3) and x[0] == 7
    with pytest.raises(RuntimeError, match="use reshape"):
        mt.zeros(3, 2).t().view_as(mt.zeros(6))


def test_singular_values_make_the_matrix_again():
    a = mt.tensor(spread(3, 2))
    u, s, v = a.svd()
    assert mt.allclose(u * s @ v.T, a) and (u.shape, v.shape) == ((3, 2), (2, 2))
    u, s, vt = mt.linalg.svd(a)
    assert mt.allclose(u[:, :2] * s @ vt, a) and mt.allclose(u @ u.T, mt.eye(3, dtype=u.dtype))


@pytest.mark.parametrize("some", [True, False])
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2, 3, 3)])
def test_singular_values_and_the_products_of_their_vectors_have_derivatives_of_both_orders(shape, some):
    def products(a):
        u, s, v = mt.svd(a, some)
        u, v = u[..., : s.shape[-1]], v[..., : s.shape[-1]]
        return u @ u.swapaxes(-1, -2), s, v @ v.swapaxes(-1, -2), (u * s.exp().unsqueeze(-2)) @ v.swapaxes(-1, -2)

    a = mt.from_numpy(np.random.default_rng(0).normal(size=shape)).requires_grad_()
    assert mt.autograd.gradcheck(products, a) and mt.autograd.gradgradcheck(products, a)


@pytest.mark.parametrize("number", [0.0, 2.0])
def test_the_gradient_of_vectors_of_equal_singular_values_or_of_those_that_are_0_is_finite(number):
    a = (number * mt.eye(3)[:, :2]).requires_grad_()
    u, _, v = mt.svd(a)
    (u.sum() + v.sum()).backward()
    assert mt.isfinite(a.grad).all() and (number or not a.grad.any())


@pytest.mark.parametrize("a", [[[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
def test_the_gradient_of_the_matrix_put_together_again_is_the_one_given(a):
    a = mt.tensor(a, dtype=mt.float64, requires_grad=True)
    u, s, v = mt.svd(a)
    g = mt.arange(1.0, 1 + a.numel(), dtype=mt.float64).reshape(a.shape)
    (da,) = mt.autograd.grad((u * s) @ v.T, a, g)
    np.testing.assert_allclose(da.numpy(), g.numpy(), rtol=1e-12, atol=1e-12)


def test_the_gradient_of_a_determinant_of_stacks_of_stacks_is_that_of_each():
    a = mt.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 2, 2))).requires_grad_()
    (da,) = mt.autograd.grad(mt.det(a).sum(), a)
    (p, q), (r, s) = a.detach().numpy().transpose(2, 3, 0, 1)
    np.testing.assert_allclose(da.numpy().transpose(2, 3, 0, 1), [[s, -r], [-q, p]], rtol=1e-12)


def test_a_node_has_pytorchs_name_where_it_is_one_operation_there():
    x = mt.tensor(spread(2, 2), requires_grad=True)
    made = [x @ x, x.sum(), x.sum(0), x.view(4), F.cross_entropy(x, mt.tensor([0, 1])), F.linear(x, x, x[0])]
    names = ["Mm", "Sum", "Sum", "View", "NllLoss", "Addmm"]
    assert [y.grad_fn.name() for y in made] == [f"{name}Backward{int(i == 2)}" for i, name in enumerate(names)]
    assert [(2 * x).grad_fn.next_functions[i][0] is None for i in (0, 1)] == [False, True]  # as of x * 2


def test_tensors_of_one_element_in_a_list_are_numbers():
    assert mt.tensor([mt.tensor([1.0]), mt.tensor([[2.0]])]).shape == (2,)
    assert mt.tensor([mt.ones(2), mt.ones(2)]).shape == (2, 2)


def test_an_array_can_be_forced_from_a_tensor_with_a_history():
    x = mt.ones(2, requires_grad=True)
    assert (x * 2).numpy(force=True).tolist() == [2, 2] and np.shares_memory(x.numpy(force=True), x.detach().numpy())


# ---- something else where a tensor is expected -------------------------------------------------------------------------------


def expecting_tensors():
    """Each public function, and the places of its parameters that must be tensors."""
    for space in (mt, F, mt.linalg):
        for name, function in vars(space).items():
            if isinstance(function, types.FunctionType) and inspect.unwrap(function).__module__.startswith("minitorch.ops"):
                annotations = [p.annotation for p in inspect.signature(function).parameters.values()]
                places = [place for place, annotation in enumerate(annotations) if annotation in ("Tensor", "Tensor | None")]
                yield pytest.param(function, places, id=f"{space.__name__}.{name}")


@pytest.mark.parametrize("function, places", list(expecting_tensors()))
def test_something_else_where_a_tensor_is_expected_is_named(function, places):
    for place, value in itertools.product(places, ([0.5, 1.5], object())):
        row = next((row for row in ROWS if row.name == function.__name__ and len(row.cases[0].inputs) > place), None)
        given = row.inputs(row.cases[0]) if row else [mt.ones(2, 3)] * (place + 1)
        given[place] = value
        with pytest.raises(TypeError, match=rf"^{function.__name__}: expected .*tensor.*, got {type(value).__name__}"):
            function(*given, **(row.cases[0].parameters if row else {}))


def test_labels_that_are_no_tensor_are_refused_with_what_to_write():
    for labels in ([0, 1], np.array([0, 1])):
        said = rf"^cross_entropy: expected a tensor for target, got {type(labels).__name__}; write tensor\(target\)"
        with pytest.raises(TypeError, match=said):
            F.cross_entropy(mt.ones(2, 3), labels)
    with pytest.raises(TypeError, match=r"^copy_: expected a tensor for src, got list; write tensor\(src\)"):
        mt.ones(2).copy_([1.0, 2.0])
    with pytest.raises(TypeError, match=r"^LSTM: expected a tensor for input, got list"):
        nn.LSTM(3, 2)([1.0, 2.0, 3.0])


def test_out_takes_whole_numbers_into_fractions_and_else_its_own_dtype_alone():
    out = mt.zeros(2)
    assert mt.add(mt.tensor([1, 2]), mt.tensor([3, 4]), out=out) is out and out.tolist() == [4, 6]
    for given, into in ((mt.ones(2), mt.zeros(2, dtype=mt.float64)), (mt.ones(2), mt.zeros(2, dtype=mt.int64))):
        with pytest.raises(TypeError, match=r"^cat: a float32 result cannot be put into a"):
            mt.cat([given[:1], given[:1]], out=into)
