"""What a tensor is and shows: shape, numbers, text, truth, copies, and the way to NumPy and back."""

import copy
import pickle
import sys

import numpy as np
import pytest

import layers as nn
import minitorch as mt

# ---- shape ---------------------------------------------------------------------------------------------------------------


def test_a_view_lies_where_its_first_element_does(device):
    x = mt.zeros(2, 3, device=device)
    assert x.view(6).data_ptr() == x.detach().data_ptr() == x.data_ptr() and x[1:].data_ptr() == x.data_ptr() + 12
    assert x.clone().data_ptr() != x.data_ptr()


def test_views_share_a_storage(device):
    x = mt.zeros(2, 3, device=device)
    for view in (x, x[1], x.T, x.view(6)[1:][2:], x.detach(), x[:1].expand(5, 3)):
        storage = view.untyped_storage()
        assert storage.data_ptr() == x.data_ptr() and storage.nbytes() == 24 <= sys.getsizeof(storage)
    assert x.clone().untyped_storage().data_ptr() != x.data_ptr()


def test_shape_size_and_strides_count_elements():
    x = mt.zeros(2, 3, 4)
    assert x.shape == x.size() == (2, 3, 4) and x.size(1) == x.size(-2) == 3
    assert x.ndim == x.dim() == 3 and x.numel() == x.nelement() == 24 and len(x) == 2
    assert x.stride() == (12, 4, 1) and x.stride(1) == 4 and x.element_size() == 4
    assert x.is_contiguous() and not x.transpose(0, 1).is_contiguous()
    assert x.transpose(0, 1).contiguous().is_contiguous() and x.contiguous() is x


def test_a_0d_tensor_has_no_length_and_no_elements_to_go_through():
    x = mt.tensor(3.0)
    assert x.shape == () and x.numel() == 1
    with pytest.raises(TypeError, match=r"len\(\): a 0-d tensor has no length"):
        len(x)
    with pytest.raises(TypeError, match=r"iter\(\): a 0-d tensor"):
        iter(x)


def test_iteration_gives_rows_that_carry_gradients():
    x = mt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    assert first.tolist() == [1.0, 2.0] and second.tolist() == [3.0, 4.0]
    sum(row.sum() * factor for row, factor in zip(x, (1.0, 10.0))).backward()
    assert x.grad.tolist() == [[1.0, 1.0], [10.0, 10.0]]


def test_reshaped_transposed_and_sliced_tensors_look_into_the_same_memory():
    x = mt.arange(6.0)
    x.view(2, 3)[1, 2] = 9.0
    x.view(2, 3).t()[0, 1] = 8.0
    assert x.tolist() == [0.0, 1.0, 2.0, 8.0, 4.0, 9.0]


# ---- numbers and truth ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data, number", [(2.5, 2.5), (3, 3), (True, True), ([[1.5]], 1.5)])
def test_one_element_is_a_number(data, number):
    x = mt.tensor(data)
    assert x.item() == number and type(x.item()) is type(number)
    assert float(x) == float(number) and int(x) == int(number) and bool(x)


def test_more_elements_are_no_number_and_have_no_truth():
    x = mt.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"item: expected one element, this tensor has shape \(2,\)"):
        x.item()
    with pytest.raises(ValueError, match=r"item: expected one element"):
        float(x)
    for tensor in (x, mt.zeros(0)):
        with pytest.raises(ValueError, match=r"bool\(\): the truth of a tensor of shape \(\d,\) is ambiguous; use \.any"):
            bool(tensor)


def test_an_integer_tensor_is_an_index_and_a_float_is_not():
    assert [10, 20, 30][mt.tensor(1)] == 20 and list(range(mt.tensor(3))) == [0, 1, 2]
    with pytest.raises(TypeError, match="only an integer tensor is an index, this one is float32"):
        [1, 2][mt.tensor(1.0)]


def test_tolist_gives_python_numbers():
    values = mt.tensor([[1.0, 2.0], [3.0, 4.0]]).tolist()
    assert values == [[1.0, 2.0], [3.0, 4.0]] and type(values[0][0]) is float
    assert mt.tensor(5).tolist() == 5 and mt.zeros(0, 3).tolist() == []


def test_containment_looks_at_elements():
    x = mt.tensor([1.0, 2.0])
    assert 2 in x and 3.0 not in x and mt.tensor(1.0) in x


def test_comparisons_go_element_by_element():
    x, y = mt.tensor([1.0, 2.0, 3.0]), mt.tensor([3.0, 2.0, 1.0])
    assert (x == y).tolist() == [False, True, False] and (x != 2).tolist() == [True, False, True]
    assert (x < y).tolist() == [True, False, False] and (x >= 2).tolist() == [False, True, True]
    assert (x == mt.ones(2, 1)).shape == (2, 3) and x.equal(mt.tensor([1.0, 2.0, 3.0])) and not x.equal(mt.ones(2))


@pytest.mark.parametrize("other", [None, "mean"])
def test_nothing_equals_none_or_text(other):
    x = mt.ones(2)
    assert (x == other) is (other == x) is False and (x != other) is True
    assert x not in [other]
    with pytest.raises(TypeError):
        x < other  # noqa: B015  it raises


def test_a_tensor_is_hashed_by_identity():
    x, twin = mt.ones(2), mt.ones(2)
    assert {x: 1}[x] == 1 and len({x, twin, x}) == 2 and x.detach() not in {x}


class Money:
    """A class of a user's, with operators of its own for a tensor on their other side."""

    def __radd__(self, other):
        return "radd"

    def __rmatmul__(self, other):
        return "rmatmul"

    def __gt__(self, other):
        return "gt"

    def __eq__(self, other):
        return "eq"

    __hash__ = None


def test_an_operator_leaves_it_to_a_class_that_has_its_own():
    x = mt.ones(2)
    assert (x + Money(), x @ Money(), x < Money(), x == Money()) == ("radd", "rmatmul", "gt", "eq")
    changed = x
    changed += Money()
    assert changed == "radd" and x.tolist() == [1.0, 1.0]
    for wrong in (lambda: x * Money(), lambda: x + "1", lambda: x >= Money(), lambda: Money() - x):
        with pytest.raises(TypeError, match="expected a tensor or a number, got"):
            wrong()
    with pytest.raises(TypeError, match="eq: expected a tensor or a number, got list"):
        bool(x == [1.0, 1.0])


# ---- text ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: mt.tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
        (lambda: mt.tensor([-0.0, float("nan"), 1e10]), "tensor([-0.0000e+00,        nan, 1.0000e+10])"),
        (lambda: mt.tensor([1, 2]), "tensor([1, 2])"),
        (lambda: mt.tensor([True, False]), "tensor([ True, False])"),
        (lambda: mt.tensor([]), "tensor([])"),
        (lambda: mt.zeros(0, 3), "tensor([], size=(0, 3))"),
        (lambda: mt.tensor([1.0], dtype=mt.float64), "tensor([1.], dtype=torch.float64)"),
        (lambda: mt.tensor([1], dtype=mt.int32), "tensor([1], dtype=torch.int32)"),
        (lambda: mt.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (lambda: mt.tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<MulBackward0>)"),
        (lambda: mt.tensor([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]])"),
        (lambda: mt.tensor([1 / 3]), "tensor([0.3333])"),
    ],
)
def test_repr_shows_values_and_what_is_unusual(make, text):
    assert repr(make()) == str(make()) == f"{make()}" == text


def test_a_number_prints_as_a_tensor_and_formats_as_the_number():
    loss = mt.tensor(2.5, requires_grad=True)
    assert (repr(loss), f"loss {loss}") == ("tensor(2.5000, requires_grad=True)", "loss 2.5")


def test_a_large_tensor_is_shown_in_part():
    assert len(repr(mt.zeros(100, 100))) < 1000 and "..." in repr(mt.zeros(100, 100))


def test_one_element_takes_a_format_and_more_do_not():
    assert f"{mt.tensor(2.345):.2f}" == "2.35" or f"{mt.tensor(2.345):.2f}" == "2.34"
    assert f"{mt.tensor([7]):03d}" == "007" and f"{mt.ones(1, requires_grad=True):.1f}" == "1.0"
    with pytest.raises(ValueError, match="item: expected one element"):
        f"{mt.ones(2):.2f}"


# ---- copies --------------------------------------------------------------------------------------------------------------


def test_clone_copies_the_memory_and_keeps_the_history():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    assert y.array is not x.array and not np.shares_memory(y.array, x.array) and y.requires_grad
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_leaf_is_deepcopied_with_its_gradient():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    twin = copy.deepcopy(x)
    with mt.no_grad():
        x.zero_()
        x.grad.zero_()
    assert twin.tolist() == [1.0, 2.0] and twin.grad.tolist() == [3.0, 3.0] and twin.requires_grad and twin.is_leaf


def test_a_tensor_twice_in_a_structure_is_one_in_its_deepcopy():
    x = mt.ones(2)
    one, other = copy.deepcopy([x, x])
    assert one is other and one is not x


def test_a_tensor_with_history_is_not_copied():
    result = mt.ones(2, requires_grad=True) * 2
    for copied in (copy.copy, copy.deepcopy, pickle.dumps, lambda y: copy.deepcopy([y])):
        with pytest.raises(
            RuntimeError, match=r"copy, deepcopy, pickle: .* \(<mul #\d+ \(2,\)>\).* only leaves can be copied.* detach\(\)"
        ):
            copied(result)


def test_a_leaf_travels_to_another_process_by_pickle():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    twin = pickle.loads(pickle.dumps(x))
    assert twin.tolist() == [1.0, 2.0] and twin.requires_grad and twin.dtype == mt.float32
    (twin * 3).sum().backward()
    assert twin.grad.tolist() == [3.0, 3.0]


# ---- NumPy ---------------------------------------------------------------------------------------------------------------


def test_numpy_shares_the_memory():
    x = mt.tensor([1.0, 2.0])
    x.numpy()[0] = 9.0
    assert x.tolist() == [9.0, 2.0] and np.asarray(x) is not None and np.shares_memory(np.asarray(x), x.array)


def test_numpy_of_a_tensor_that_requires_a_gradient_is_refused():
    x = mt.ones(2, requires_grad=True)
    for convert in (lambda: x.numpy(), lambda: np.asarray(x), lambda: (x * 2).numpy()):
        with pytest.raises(RuntimeError, match=r"requires a gradient, which NumPy would lose; call detach\(\)\.numpy\(\)"):
            convert()
    assert x.detach().numpy().tolist() == [1.0, 1.0]
    with mt.no_grad():
        assert x.numpy() is x.array and np.asarray(x) is x.array


def test_numpy_functions_read_tensors():
    x = mt.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x, dtype=np.float64).dtype == np.float64 and np.array(x).tolist() == x.tolist()
    assert not np.shares_memory(np.array(x), x.array)
    np.testing.assert_array_equal(x, [[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match="a change from float32 to float64 needs a copy"):
        np.asarray(x, dtype=np.float64, copy=False)


@pytest.mark.parametrize(
    "operate, expected",
    [
        (lambda a, t: a * t, [3.0, 8.0]),
        (lambda a, t: t * a, [3.0, 8.0]),
        (lambda a, t: a + t, [4.0, 6.0]),
        (lambda a, t: a - t, [-2.0, -2.0]),
        (lambda a, t: t - a, [2.0, 2.0]),
        (lambda a, t: a / t, [1 / 3, 0.5]),
        (lambda a, t: a**t, [1.0, 16.0]),
    ],
)
def test_an_array_beside_a_tensor_is_a_constant_on_either_side(operate, expected):
    array, tensor = np.array([1.0, 2.0]), mt.tensor([3.0, 4.0], dtype=mt.float64, requires_grad=True)
    out = operate(array, tensor)
    assert isinstance(out, mt.Tensor) and out.tolist() == expected
    out.sum().backward()
    assert tensor.grad is not None


@pytest.mark.parametrize("other", [[1.0, 2.0], (1.0, 2.0), "text", None, {}, object()], ids=lambda other: type(other).__name__)
@pytest.mark.parametrize(
    "operate",
    [lambda x, y: x + y, lambda x, y: x * y, lambda x, y: y - x, lambda x, y: x / y],
    ids=["x + y", "x * y", "y - x", "x / y"],
)
def test_what_is_no_number_does_not_compute_with_a_tensor(operate, other):
    with pytest.raises(TypeError, match=r"(add|mul|sub|div): expected a tensor or a number, got"):
        operate(mt.ones(2), other)


@pytest.mark.parametrize("function", [mt.exp, mt.tanh, mt.softmax], ids=lambda function: function.__name__)
def test_a_function_of_a_number_is_refused(function):
    with pytest.raises(TypeError, match=f"{function.__name__}: expected a tensor for input, got float"):
        function(1.0)


def test_two_numbers_are_no_tensor_where_they_are_none_in_pytorch():
    for function in (mt.pow, mt.remainder, mt.maximum):
        with pytest.raises(TypeError, match=r"expected (a|two) tensor"):
            function(1.0, 2.0)


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"add: .*\(inputs: \(2,\) float32, \(3,\) float32\)"):
        mt.ones(2) + mt.ones(3)
    with pytest.raises(ValueError, match=r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit: the inner lengths must be equal"):
        mt.ones(2, 3) @ mt.ones(2, 3)


def test_matmul_takes_tensors_only():
    for multiply in (lambda: mt.ones(2, 2) @ np.ones((2, 2)), lambda: np.ones((2, 2)) @ mt.ones(2, 2)):
        with pytest.raises(TypeError, match="matmul: expected two tensors, got ndarray"):
            multiply()


# ---- data ----------------------------------------------------------------------------------------------------------------


def test_data_replaces_the_memory_of_a_leaf():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    x.data = mt.tensor([5.0, 6.0])
    assert x.tolist() == [5.0, 6.0] and x.requires_grad and x.is_leaf
    x.data -= 1.0
    assert x.tolist() == [4.0, 5.0]
    (x * x).sum().backward()
    assert x.grad.tolist() == [8.0, 10.0]


def test_data_of_another_kind_is_refused():
    x = mt.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="data: expected a Tensor, got ndarray"):
        x.data = np.ones(2)
    with pytest.raises(TypeError, match="data: expected floats for a tensor that requires a gradient, got int64"):
        x.data = mt.tensor([1, 2])
    with pytest.raises(RuntimeError, match="data: only the memory of a leaf can be replaced"):
        (x * 2).data = mt.ones(2)


def test_gradients_have_the_shape_and_dtype_of_the_memory_that_replaced_the_first():
    rows, halves, squeezed = (
        mt.zeros(4, 2, requires_grad=True),
        mt.zeros(2, requires_grad=True),
        mt.zeros(1, 4, requires_grad=True),
    )
    rows.data, halves.data = mt.zeros(2), mt.zeros(2, dtype=mt.float16)
    with mt.no_grad():
        squeezed.squeeze_()
    (mt.ones(4, 2) + rows).sum().backward()
    mt.functional.linear(mt.ones(4, 3).half(), mt.ones(2, 3).half(), halves).sum().backward()  # its rule sums in float32
    (mt.ones(1, 4) + squeezed).sum().backward()
    assert (rows.grad.tolist(), halves.grad.dtype, squeezed.grad.shape) == ([4.0, 4.0], mt.float16, (4,))


def test_a_net_that_was_cast_has_gradients_in_its_dtype():
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 2)).half()
    net(mt.ones(2, 1, 3, 3).half()).sum().backward()
    assert {p.grad.dtype for p in net.parameters()} == {mt.float16}
