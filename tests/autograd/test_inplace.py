"""Changes in place: caught where they would spoil a gradient, left alone where they do not, refused where they do not fit."""

import numpy as np
import pytest

import minitorch as mt

METHODS = {
    "add_": lambda x: x.add_(1.0),
    "sub_": lambda x: x.sub_(1.0),
    "mul_": lambda x: x.mul_(2.0),
    "div_": lambda x: x.div_(2.0),
    "pow_": lambda x: x.pow_(2),
    "neg_": lambda x: x.neg_(),
    "exp_": lambda x: x.exp_(),
    "sqrt_": lambda x: x.sqrt_(),
    "clamp_": lambda x: x.clamp_(0.0, 1.0),
    "relu_": lambda x: x.relu_(),
    "fill_": lambda x: x.fill_(7.0),
    "zero_": lambda x: x.zero_(),
    "copy_": lambda x: x.copy_(mt.ones(2)),
    "setitem": lambda x: x.__setitem__(0, 5.0),
    "uniform_": lambda x: x.uniform_(),
    "normal_": lambda x: x.normal_(),
}
# fmt: off
AUGMENTED = {
    "+=": ("add_", "x += 1.0"), "-=": ("sub_", "x -= 1.0"), "*=": ("mul_", "x *= 2.0"), "/=": ("div_", "x /= 2.0"),
    "**=": ("pow_", "x **= 2"), "x[0] =": ("setitem", "x[0] = 5.0"), "x[mask] =": ("setitem", "x[x > 0] = 5.0"),
}
# fmt: on


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def raises(method, operation="mul"):
    return pytest.raises(RuntimeError, match=rf"{operation}: an array of shape .* was changed in place by {method}; change a")


# ---- what spoils a gradient is caught ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_changes_a_saved_array_is_named(method):
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w * x).sum()
    METHODS[method](x)
    with raises(method):
        loss.backward()
    assert w.grad is None


@pytest.mark.parametrize("method, code", AUGMENTED.values(), ids=AUGMENTED)
def test_an_assignment_that_changes_a_saved_array_is_named(method, code):
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w * x).sum()
    exec(code, {"x": x})
    with raises(method):
        loss.backward()


def test_a_step_of_the_optimizer_between_forward_and_backward_is_caught():
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    loss = (w * x).sum()
    with mt.no_grad():
        w -= 0.1 * w
    with raises("sub_"):
        loss.backward()


@pytest.mark.parametrize(
    "change, by",
    [
        (lambda x: x[0].zero_(), "zero_"),
        (lambda x: x[1:].mul_(2.0), "mul_"),
        (lambda x: x.view(2, 1).add_(1.0), "add_"),
        (lambda x: x.t().add_(1.0), "add_"),
        (lambda x: x.detach().zero_(), "zero_"),
        (lambda x: x.data.zero_(), "zero_"),
        (lambda x: x.detach()[0].view(1).fill_(2.0), "fill_"),
        (lambda x: x.unbind()[1].add_(1.0), "add_"),
        (lambda x: x.split(1)[0].neg_(), "neg_"),
    ],
    ids=["x[0]", "x[1:]", "view", "t", "detach", "data", "view of a view", "unbind", "split"],
)
def test_a_change_through_a_view_is_caught(change, by):
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w * x).sum()
    change(x)
    with raises(by):
        loss.backward()


def test_a_change_of_the_whole_is_caught_where_a_view_was_saved():
    w, x = leaf(1.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w * x[1:]).sum()
    x.zero_()
    with raises("zero_"):
        loss.backward()


def test_a_change_through_another_tensor_on_the_same_numpy_array_is_caught():
    memory = np.array([3.0, 4.0])
    w, x = leaf(1.0, 2.0), mt.from_numpy(memory)
    loss = (w * x).sum()
    mt.from_numpy(memory[1:]).zero_()
    with raises("zero_"):
        loss.backward()
    loss = (w * x).sum()
    mt.as_tensor(memory).zero_()
    with raises("zero_"):
        loss.backward()


def test_new_data_for_a_leaf_that_was_saved_is_caught():
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    loss = (w * x).sum()
    w.data = mt.zeros(2, dtype=mt.float64)
    with raises("an assignment to .data"):
        loss.backward()


def test_a_changed_output_is_caught_where_the_rule_needs_it():
    x = leaf(1.0, 2.0)
    out = x.exp()
    loss = out.sum()
    with mt.no_grad():
        out.zero_()
    with raises("zero_", "exp"):
        loss.backward()


def test_a_recorded_change_of_a_saved_array_is_caught():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    hidden = x * 2
    loss = (hidden * w).sum()
    hidden += 1.0
    with raises("add_"):
        loss.backward()


def test_a_changed_index_is_caught():
    x, index = leaf(1.0, 2.0), mt.tensor([1])
    loss = x[index].sum()
    index.zero_()
    with raises("zero_", "take"):
        loss.backward()


def test_an_index_changed_between_the_first_and_the_second_derivative_is_caught():
    x, index = leaf(1.0, 2.0), mt.tensor([1])
    (g,) = mt.autograd.grad((x[index] ** 2).sum(), x, create_graph=True)
    index.zero_()
    with raises("zero_", "add_at"):
        mt.autograd.grad(g.sum(), x)


def test_a_change_between_the_first_and_the_second_derivative_is_caught():
    x, w = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    (g,) = mt.autograd.grad((x * w).exp().sum(), x, create_graph=True)
    w.zero_()
    with raises("zero_"):
        mt.autograd.grad(g.sum(), x)


def test_what_a_users_function_saved_is_watched_too():
    class Scale(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(factor)
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0], None

    x, factor = leaf(1.0), mt.tensor([2.0], dtype=mt.float64)
    loss = Scale.apply(x, factor).sum()
    factor.zero_()
    with raises("zero_", "Scale"):
        loss.backward()


# ---- what spoils nothing is left alone -----------------------------------------------------------------------------------


def test_a_change_of_what_no_rule_needs_does_not_raise():
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w + x).sum()
    x.zero_()
    loss.backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_change_before_the_forward_pass_does_not_raise():
    w, x = leaf(1.0, 2.0), mt.zeros(2, dtype=mt.float64)
    x += 3.0
    (w * x).sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


def test_a_change_after_backward_does_not_raise():
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    for _ in range(3):
        loss = (w * x).sum()
        loss.backward()
        x += 1.0
    assert w.grad.tolist() == [3.0 + 4.0 + 5.0, 4.0 + 5.0 + 6.0]


def test_a_change_of_a_clone_does_not_raise():
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    loss = (w * x).sum()
    x.clone().zero_()
    loss.backward()
    assert w.grad.tolist() == [3.0, 4.0]


def test_a_change_beside_what_was_saved_does_not_raise():
    """The array that was saved is a copy; the memory that changes is another."""
    w, x = leaf(1.0, 2.0), mt.tensor([3.0, 4.0, 5.0], dtype=mt.float64)
    loss = (w * x[[0, 2]]).sum()
    x.zero_()
    loss.backward()
    assert w.grad.tolist() == [3.0, 5.0]


def test_memory_that_is_freed_and_used_again_does_not_raise():
    w = leaf(1.0, 2.0)
    for _ in range(100):
        mt.zeros(2, dtype=mt.float64).fill_(3.0)
        (w * mt.ones(2, dtype=mt.float64)).sum().backward()
    assert w.grad.tolist() == [100.0, 100.0]


# ---- under no_grad -------------------------------------------------------------------------------------------------------


def test_a_step_under_no_grad_changes_the_leaf_itself():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    same, memory = w, w.array
    with mt.no_grad():
        w -= 0.25 * w.grad
    assert w is same and w.array is memory and w.tolist() == [0.5, 1.0] and w.is_leaf and w.requires_grad


@pytest.mark.parametrize("method", METHODS)
def test_methods_return_the_tensor_itself_and_keep_its_dtype(method):
    x = mt.tensor([3.0, 4.0])
    memory, result = x.array, METHODS[method](x)
    assert result is x or method == "setitem"
    assert x.array is memory and x.dtype == mt.float32


@pytest.mark.parametrize("method", METHODS)
def test_a_leaf_that_requires_a_gradient_is_changed_under_no_grad_only(method):
    x = leaf(1.0, 4.0)
    with pytest.raises(RuntimeError, match=rf"{method}: a leaf of shape \(2,\) that requires a gradient .* `with no_grad"):
        METHODS[method](x)
    assert x.tolist() == [1.0, 4.0]
    with mt.no_grad():
        METHODS[method](x)
    assert x.is_leaf and x.requires_grad


# ---- what does not fit ---------------------------------------------------------------------------------------------------


def test_a_result_of_another_shape_does_not_fit():
    x = mt.ones(3)
    with pytest.raises(ValueError, match=r"add_: a result of shape \(2, 3\) does not fit in place into shape \(3,\)"):
        x += mt.ones(2, 3)
    with pytest.raises(ValueError, match=r"expand: shape \(2,\) cannot be expanded to \(3,\)"):
        x.copy_(mt.ones(2))
    with pytest.raises(ValueError, match=r"setitem: .*\(tensor \(3,\), value \(2,\)\)"):
        x[:] = mt.ones(2)
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_a_result_of_a_wider_kind_does_not_fit():
    counts, flags = mt.tensor([1, 2]), mt.tensor([True])
    with pytest.raises(TypeError, match="mul_: a float32 result cannot be kept in place in a int64 tensor"):
        counts *= 0.5
    with pytest.raises(TypeError, match="add_: a int64 result cannot be kept in place in a bool tensor"):
        flags += 1
    assert counts.tolist() == [1, 2] and flags.tolist() == [True]


def test_integers_and_booleans_are_changed_in_place():
    counts, flags = mt.tensor([1, 2]), mt.tensor([True, False])
    counts += 1
    counts[0] = 7
    flags[1] = True
    flags &= mt.tensor([False, True])
    assert counts.tolist() == [7, 3] and flags.tolist() == [False, True]


def test_memory_that_several_elements_share_is_not_written():
    wide = mt.zeros(1).expand(3)
    for change in (lambda: wide.add_(1.0), lambda: wide.zero_(), lambda: wide.__setitem__(0, 1.0)):
        with pytest.raises(ValueError, match=r"(add_|zero_|setitem): .*\(3,\).* several elements .* clone\(\)"):
            change()
    assert wide.tolist() == [0.0, 0.0, 0.0]


def test_read_only_memory_is_not_written():
    memory = np.ones(3)
    memory.flags.writeable = False
    x = mt.from_numpy(memory)
    for change in (lambda: x.add_(1.0), lambda: x.__setitem__(0, 5.0)):
        with pytest.raises(ValueError, match=r"(add_|setitem): the memory of this tensor of shape \(3,\) is read-only; .* cl"):
            change()


def test_an_index_out_of_range_changes_nothing():
    x = mt.zeros(3)
    for index in (3, -4, mt.tensor([0, 5])):
        with pytest.raises(IndexError, match=r"setitem: .*out of"):
            x[index] = 1.0
    assert x.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("sign", ["+", "-", "*", "**", "//", "%", "&", "|", "^", "<<", ">>"])
def test_an_augmented_assignment_writes_the_memory_that_others_see(sign):
    x = mt.tensor([[5, 6], [7, 8]])
    row = x[1]
    row_before, expected = row, eval(f"np.array([7, 8]) {sign} 2")
    scope = {"row": row}
    exec(f"row {sign}= 2", scope)
    assert scope["row"] is row_before
    assert x.tolist() == [[5, 6], expected.tolist()]
