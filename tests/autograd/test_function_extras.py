"""What PyTorch's `Function`, hooks and `grad` have beyond the usual."""

import pytest

import minitorch as mt
from minitorch.autograd import Function, backward, grad, once_differentiable


class ExpInPlace(Function):
    @staticmethod
    def forward(ctx, x):
        x.exp_()
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g * out


class Both(Function):
    @staticmethod
    def forward(ctx, x, materialize):
        ctx.set_materialize_grads(materialize)
        return x * 2, "twice", x * 3

    @staticmethod
    def backward(ctx, g, none, h):
        assert none is None
        Both.seen = h
        return g * 2 + (0 if h is None else h * 3), None


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 * x


def test_an_input_that_forward_changes_is_returned_as_itself_with_its_new_history():
    x = mt.tensor([0.5, 1.0], dtype=mt.float64, requires_grad=True)
    y = x * 1
    assert ExpInPlace.apply(y) is y
    (first,) = grad(y.sum(), x, create_graph=True)
    mt.testing.assert_close(first, x.exp())
    mt.testing.assert_close(grad(first.sum(), x)[0], x.exp())
    with pytest.raises(RuntimeError, match=r"^ExpInPlace: mark_dirty: a leaf that requires a gradient, of shape \(2,\)"):
        ExpInPlace.apply(x)


def test_what_saved_an_input_before_it_was_marked_dirty_refuses():
    x = mt.ones(2, requires_grad=True)
    y = x * 1
    z = y * y
    ExpInPlace.apply(y)
    with pytest.raises(RuntimeError, match=r"changed in place by ExpInPlace"):
        z.sum().backward()


@pytest.mark.parametrize("materialize", [True, False])
def test_outputs_that_are_no_tensors_come_back_and_unused_ones_give_zeros_or_none(materialize):
    x = mt.ones(2, requires_grad=True)
    y, word, _ = Both.apply(x, materialize)
    assert word == "twice"
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and (Both.seen.tolist() == [0.0, 0.0] if materialize else Both.seen is None)


def test_once_differentiable_refuses_a_second_derivative():
    x = mt.tensor(3.0, requires_grad=True)
    (first,) = grad(Once.apply(x), x, create_graph=True)
    assert first.item() == 6.0
    with pytest.raises(RuntimeError, match=r"once_differentiable: this backward was declared to be differentiable once"):
        first.backward()
    (plain,) = grad(Once.apply(x), x)
    assert plain.item() == 6.0 and not plain.requires_grad


def test_backward_adds_to_the_grad_of_the_inputs_it_is_given_alone():
    a, b = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    h = a * 2
    loss = (h * b).sum()
    loss.backward(inputs=[a], retain_graph=True)
    assert a.grad.tolist() == [2.0, 2.0] and b.grad is None
    backward(loss, inputs=(a, h))
    assert a.grad.tolist() == [4.0, 4.0] and h.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match=r"^backward: expected at least one tensor as inputs"):
        backward(a.sum(), inputs=[])
    with pytest.raises(RuntimeError, match=r"^backward: input 0, of shape \(1,\), does not require a gradient"):
        backward(a.sum(), inputs=mt.ones(1))


def test_grad_gives_zeros_for_unused_inputs_where_asked():
    a, b = mt.ones(2, requires_grad=True), mt.ones(3, requires_grad=True)
    used, unused = grad(a.sum(), (a, b), materialize_grads=True)
    assert used.tolist() == [1.0, 1.0] and unused.tolist() == [0.0] * 3
    assert grad(a.sum(), [a], only_inputs=True)[0].tolist() == [1.0, 1.0]
    for wrong in ({"only_inputs": False}, {"is_grads_batched": True}, {"materialize_grads": True, "allow_unused": False}):
        with pytest.raises(ValueError, match=r"^grad: "):
            grad(a.sum(), a, **wrong)


def test_a_hook_sees_a_leaf_each_time_its_grad_has_been_added_to():
    x, seen = mt.ones(2, requires_grad=True), []
    handle = x.register_post_accumulate_grad_hook(lambda tensor: seen.append(tensor.grad.tolist()))
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    handle.remove()
    (x * 4).sum().backward()
    assert seen == [[2.0, 2.0], [5.0, 5.0]]
    with pytest.raises(RuntimeError, match=r"^register_post_accumulate_grad_hook: expected a leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_inputs_of_backward_that_are_no_leaves_keep_later_gradients_too_and_none_counts_twice():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    h.sum().backward(inputs=[h, h, x, x], retain_graph=True)
    assert h.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [2.0, 2.0]
    h.sum().backward()
    assert h.grad.tolist() == [2.0, 2.0] and x.grad.tolist() == [4.0, 4.0]


def test_zeros_for_unused_inputs_can_be_differentiated():
    a, b = mt.tensor([1.0], requires_grad=True), mt.tensor([2.0], requires_grad=True)
    first = grad((a * a).sum(), (a, b), create_graph=True, materialize_grads=True)
    assert grad(first[1].sum(), b, materialize_grads=True)[0].tolist() == [0.0]
