"""`backward` and `grad`: what arrives where, how often, and what is said when nothing can."""

import numpy as np
import pytest

import minitorch as mt
from minitorch.autograd.op import Op


class Counted(Op):
    """a, with a count of how often the rule runs.  da = g."""

    runs = 0

    def forward(ctx, a):
        return a.copy()

    def backward(ctx, g):
        Counted.runs += 1
        return g


class Double(Op):
    """2 a, without a rule."""

    def forward(ctx, a):
        return a + a


@pytest.fixture
def counted():
    Counted.runs = 0
    return Counted.apply


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def scalar(value):
    return mt.tensor(value, dtype=mt.float64, requires_grad=True)


# ---- backward ------------------------------------------------------------------------------------------------------------


def test_backward_gives_every_leaf_its_gradient():
    x, w, b = leaf(1.0, 2.0), leaf(3.0, 4.0), scalar(5.0)
    (x * w + b).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0] and w.grad.tolist() == [1.0, 2.0] and b.grad.item() == 2.0


def test_a_tensor_that_requires_no_gradient_gets_none():
    x, constant = leaf(1.0, 2.0), mt.tensor([3.0, 4.0], dtype=mt.float64)
    (x * constant).sum().backward()
    assert constant.grad is None


def test_a_leaf_that_the_loss_does_not_depend_on_gets_none():
    x, other = leaf(1.0), leaf(2.0)
    x.sum().backward()
    assert other.grad is None


def test_the_gradient_of_a_broadcast_input_has_its_shape():
    row, column = mt.ones(3, requires_grad=True), mt.ones(2, 1, requires_grad=True)
    (row * column).sum().backward()
    assert row.grad.tolist() == [2.0, 2.0, 2.0] and column.grad.tolist() == [[3.0], [3.0]]


def test_both_uses_of_one_tensor_count():
    """The example by which micrograd's author showed why gradients must be added and ordered topologically."""
    a = scalar(3.0)
    b = a + a
    b.backward()
    assert a.grad.item() == 2.0
    a, b = scalar(-2.0), scalar(3.0)
    product, total = a * b, a + b
    (product * total).backward()
    assert a.grad.item() == -3.0 and b.grad.item() == -8.0
    x = scalar(1.0)
    a = x * 2
    b = a + a
    (b + b).backward()
    assert x.grad.item() == 8.0


def test_a_node_runs_once_after_all_that_use_it(counted):
    x = scalar(2.0)
    shared = counted(x * x)
    late = shared * 3
    for _ in range(5):
        late = late + 1  # a long way back to `shared` beside a short one
    (late + shared).backward()
    assert x.grad.item() == 16.0 and Counted.runs == 1


def test_a_tensor_of_one_element_may_start_whatever_its_shape():
    x = mt.ones(1, 1, requires_grad=True)
    (x * 3).backward()
    assert x.grad.tolist() == [[3.0]]


def test_backward_of_a_leaf_gives_it_the_gradient_one():
    x = scalar(3.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_a_gradient_may_be_given_for_a_tensor_of_any_shape():
    x = leaf(1.0, 2.0)
    (x * x).backward(mt.tensor([10.0, 100.0]))
    assert x.grad.tolist() == [20.0, 400.0] and x.grad.dtype == mt.float64


def test_a_gradient_given_in_another_dtype_becomes_one_of_the_tensors():
    x, given = mt.ones(2, requires_grad=True), mt.tensor([10.0, 100.0], dtype=mt.float64)
    (found,) = mt.autograd.grad(x, x, given)
    x.backward(given)
    for gradient in (found, x.grad):
        assert gradient.tolist() == [10.0, 100.0] and gradient.dtype == mt.float32


def test_gradients_given_stay_their_givers():
    """A leaf keeps its gradient, and adds to it, in memory of its own: also where a rule hands on what it was given."""

    class Both(Op):
        def forward(ctx, a, b):
            return a * 1, b * 1

        def backward(ctx, da, db):
            return da, db

    x, y, given = leaf(1.0), leaf(2.0), [mt.tensor([number], dtype=mt.float64) for number in (3.0, 4.0)]
    for _ in range(2):
        mt.autograd.backward(list(Both.apply(x, y)), given)
    assert (x.grad.tolist(), y.grad.tolist()) == ([6.0], [8.0])
    assert [gradient.tolist() for gradient in given] == [[3.0], [4.0]]


def test_several_tensors_go_back_in_one_pass(counted):
    x = leaf(1.0, 2.0)
    shared = counted(x * x)
    mt.autograd.backward([shared.sum(), shared * 2], [None, mt.tensor([1.0, 10.0])])
    assert x.grad.tolist() == [2.0 + 4.0, 4.0 + 80.0] and Counted.runs == 1


def test_a_gradient_has_a_history_only_if_one_was_asked_for():
    for create_graph in (False, True):
        x = leaf(1.0, 2.0)
        mt.autograd.backward((x * x).sum(), create_graph=create_graph)
        assert x.grad.requires_grad == create_graph
    x = leaf(1.0, 2.0)
    mt.autograd.backward((x * x).sum())
    assert not x.grad.requires_grad


def test_gradients_accumulate_over_graphs():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    (x * x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]


def test_a_second_backward_adds_exactly_once_more():
    """Where interior gradients are kept, as in micrograd, the second pass adds twice as much."""
    x = scalar(3.0)
    y = (x * 1.0) * 3.0
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 6.0


def test_a_second_backward_through_a_freed_graph_says_so():
    x = leaf(1.0, 2.0)
    loss = x.exp().sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"exp: an earlier backward .* freed it\. Add the losses .* retain_graph=True"):
        loss.backward()
    assert x.grad.tolist() == x.exp().tolist()


def test_two_losses_over_one_graph_are_added_and_go_back_once():
    x = leaf(1.0, 2.0)
    hidden = x.exp()
    main, auxiliary = hidden.sum(), (hidden * hidden).sum()
    (main + auxiliary).backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1, 2]) + 2 * np.exp([2, 4]), rtol=1e-15)


@pytest.mark.parametrize("shape", [(2,), (3, 1), (0,)])
def test_backward_needs_a_scalar_or_a_gradient(shape):
    x = mt.ones(shape, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"backward: a gradient starts from a scalar, this tensor has shape \(.*sum"):
        (x * 2).backward()


def test_a_given_gradient_of_another_shape_is_refused():
    with pytest.raises(RuntimeError, match=r"expected a gradient of shape \(2,\) on cpu, got shape \(3,\)"):
        (leaf(1.0, 2.0) * 2).backward(mt.ones(3))
    with pytest.raises(RuntimeError, match="got float"):
        (leaf(1.0, 2.0) * 2).backward(1.0)
    with pytest.raises(RuntimeError, match="2 gradients for 1 tensors"):
        mt.autograd.backward([leaf(1.0).sum()], [None, None])
    with pytest.raises(RuntimeError, match="1 gradients for 2 tensors"):
        mt.autograd.backward([leaf(1.0) * 2, leaf(1.0) * 2], mt.ones(1))


def test_only_tensors_are_differentiated():
    for call in (
        lambda: mt.autograd.backward(1.0),
        lambda: mt.autograd.grad(np.ones(1), leaf(1.0)),
        lambda: mt.autograd.grad(leaf(1.0).sum(), 2.0),
    ):
        with pytest.raises(TypeError, match=r"(backward|grad): expected a Tensor or a sequence of them, got float"):
            call()


def test_tensors_are_taken_from_any_iterable():
    x, y = leaf(1.0, 2.0), leaf(3.0)
    named = {"x": x, "y": y}
    found = mt.autograd.grad(iter([x.sum() * y, y * 2]), named.values(), grad_outputs=(mt.tensor([1.0]) for _ in range(2)))
    assert [g.tolist() for g in found] == [[3.0, 3.0], [5.0]]
    (x.sum() * y).backward(inputs=(tensor for tensor in named.values()))
    assert (x.grad.tolist(), y.grad.tolist()) == ([3.0, 3.0], [3.0])
    mt.autograd.backward(tensor for tensor in (y * 2, y))
    assert y.grad.tolist() == [6.0]


def test_backward_of_what_has_no_history_says_why():
    x = leaf(1.0, 2.0)
    with mt.no_grad():
        unrecorded = (x * x).sum()
    for tensor in (mt.tensor(1.0), unrecorded, (x * x).sum().detach()):
        with pytest.raises(RuntimeError, match=r"of shape \(\) does not require a gradient .*no_grad\(\), detached"):
            tensor.backward()


def test_backward_itself_may_be_called_under_no_grad():
    x = leaf(3.0)
    loss = (x * x).sum()
    with mt.no_grad():
        loss.backward()
    assert x.grad.tolist() == [6.0] and not x.grad.requires_grad


def test_gradients_of_single_numbers_are_arrays_also_where_two_meet():
    """NumPy adds two 0-d arrays to a scalar, which nothing can be written into."""
    x, kept, seen = scalar(2.0), [], []
    hidden = x * 1.0
    hidden.retain_grad()
    hidden.register_hook(seen.append)
    x.register_hook(seen.append)
    loss = hidden * 3 + hidden * 4 + x * 5 + x * 6
    kept.extend(mt.autograd.grad(loss, [x, hidden], retain_graph=True))
    loss.backward()
    for gradient in (*kept, *seen, x.grad, hidden.grad):
        assert type(gradient.array) is np.ndarray
    assert [gradient.item() for gradient in (*kept, x.grad, hidden.grad)] == [18.0, 7.0, 18.0, 14.0]


# ---- grad ----------------------------------------------------------------------------------------------------------------


def test_grad_returns_gradients_and_touches_no_leaf():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gx, gy = mt.autograd.grad((x * y).sum(), [x, y])
    assert gx.tolist() == [3.0, 4.0] and gy.tolist() == [1.0, 2.0]
    assert x.grad is None and y.grad is None and not gx.requires_grad


def test_grad_reaches_interior_tensors():
    x = leaf(1.0, 2.0)
    hidden = x * 3
    (of_hidden,) = mt.autograd.grad((hidden * hidden).sum(), hidden)
    assert of_hidden.tolist() == [6.0, 12.0]


def test_the_gradient_with_respect_to_an_interior_tensor_and_to_its_leaf_come_together():
    x = leaf(1.0, 2.0)
    hidden = x * 3
    of_x, of_hidden = mt.autograd.grad((hidden * hidden).sum(), [x, hidden])
    assert of_x.tolist() == [18.0, 36.0] and of_hidden.tolist() == [6.0, 12.0]


def test_grad_of_several_outputs_is_that_of_their_sum():
    x = leaf(1.0, 2.0)
    (g,) = mt.autograd.grad([x.sum(), x * x], x, [None, mt.tensor([1.0, 10.0])])
    assert g.tolist() == [3.0, 41.0]


def test_an_output_may_be_an_input():
    x, w = leaf(1.0), leaf(2.0)
    assert mt.autograd.grad(x, x, mt.tensor([7.0]))[0].tolist() == [7.0]
    y = x * w
    assert mt.autograd.grad(y, y)[0].tolist() == [1.0]


def test_an_output_may_be_a_leaf_that_is_not_asked_for():
    x, w = leaf(1.0), leaf(2.0)
    assert mt.autograd.grad([x, w * 3], w)[0].tolist() == [3.0]


def test_an_input_that_the_outputs_do_not_depend_on_is_named():
    x, other = leaf(1.0, 2.0), mt.ones(3, 4, requires_grad=True)
    loss = (x * x).sum()
    with pytest.raises(RuntimeError, match=r"do not depend on input 1, of shape \(3, 4\); pass allow_unused=True"):
        mt.autograd.grad(loss, [x, other], retain_graph=True)
    of_x, of_other = mt.autograd.grad(loss, [x, other], allow_unused=True)
    assert of_x.tolist() == [2.0, 4.0] and of_other is None


def test_an_input_that_requires_no_gradient_is_named():
    with pytest.raises(RuntimeError, match=r"grad: input 0, of shape \(3,\), does not require a gradient"):
        mt.autograd.grad(leaf(1.0).sum(), [mt.ones(3)])


def test_rules_that_do_not_lead_to_the_inputs_are_not_run(counted):
    x, y = leaf(1.0), leaf(2.0)
    beside = counted(y)
    below = counted(x)
    hidden = below * beside
    (g,) = mt.autograd.grad(hidden.sum(), below)
    assert g.tolist() == [2.0] and Counted.runs == 0


def test_an_operation_with_no_derivative_is_no_obstacle_off_the_way():
    x, y = leaf(7.0), leaf(2.0)
    assert mt.autograd.grad((Double.apply(x) + y).sum(), y)[0].tolist() == [1.0]
    with pytest.raises(RuntimeError, match="double: this operation has no derivative"):
        mt.autograd.grad((Double.apply(x) + y).sum(), x)


def test_grad_frees_the_graph_unless_told_to_keep_it():
    x = leaf(2.0)
    loss = x.exp().sum()
    for _ in range(3):
        mt.autograd.grad(loss, x, retain_graph=True)
    mt.autograd.grad(loss, x)
    with pytest.raises(RuntimeError, match="freed"):
        mt.autograd.grad(loss, x)


# ---- operations with several outputs -------------------------------------------------------------------------------------


def test_an_output_that_nobody_uses_needs_no_gradient():
    x = mt.tensor([[1.0, 5.0], [7.0, 3.0]], requires_grad=True)
    values, indices = x.max(1)
    del indices
    values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_parts_of_a_split_may_be_dropped():
    x = leaf(1.0, 2.0, 3.0)
    first, _, last = x.split(1)
    del _
    (first * 10 + last).sum().backward()
    assert x.grad.tolist() == [10.0, 0.0, 1.0]


def test_a_gradient_kept_as_a_view_shares_its_memory_with_nothing():
    images = mt.from_numpy(np.zeros((2, 4, 5, 3), np.float32).transpose(0, 3, 1, 2))  # channels-last
    x, y = (images.clone().requires_grad_() for _ in range(2))
    given = mt.randn(2, 4, 5, 3)
    (x.permute(0, 2, 3, 1) * 1.0 + y.permute(0, 2, 3, 1)).backward(given)
    before = given.clone()
    for leaf in x, y:
        np.testing.assert_array_equal(leaf.grad.numpy(), before.numpy().transpose(0, 3, 1, 2))
        leaf.grad.zero_()
    np.testing.assert_array_equal(given.numpy(), before.numpy())


def test_the_gradient_of_a_channels_last_image_lies_in_memory_as_the_image_does():
    x = mt.from_numpy(np.zeros((2, 4, 6, 3), np.float32).transpose(0, 3, 1, 2)).requires_grad_()
    mt.functional.avg_pool2d(x, 2).sum().backward()
    assert x.grad.array.strides == x.array.strides and x.grad.eq(0.25).all()
