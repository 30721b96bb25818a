"""Tensor hooks: each sees a whole gradient, once, and may put another in its place."""

import pytest

import minitorch as mt


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64, requires_grad=True)


def test_the_hook_of_a_leaf_sees_the_whole_gradient_once():
    w, seen = leaf(2.0), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    x, y = leaf(3.0), leaf(5.0)
    (w * x + w * y).sum().backward()  # a siamese use: one weight, two branches
    assert seen == [[8.0]] and w.grad.tolist() == [8.0]


def test_the_hook_of_an_interior_tensor_sees_the_whole_gradient_once():
    x, seen = leaf(2.0), []
    hidden = x * 3
    hidden.register_hook(lambda g: seen.append(g.tolist()))
    (hidden * 4 + hidden * hidden).sum().backward()
    assert seen == [[4.0 + 12.0]]


def test_what_a_hook_returns_takes_the_gradients_place():
    x = leaf(2.0)
    hidden = x * 3
    hidden.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (hidden * 4).sum().backward()
    assert x.grad.tolist() == [121.0]


def test_hooks_run_in_the_order_they_were_registered_each_on_what_the_last_one_left():
    x = leaf(2.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    (x * 3).sum().backward()
    assert x.grad.tolist() == [40.0]


def test_a_hook_runs_on_every_pass():
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(g.item()))
    for factor in (3.0, 5.0):
        (x * factor).sum().backward()
    assert seen == [3.0, 5.0] and x.grad.tolist() == [8.0]


def test_a_removed_hook_is_silent_and_may_be_removed_twice():
    x, seen = leaf(2.0), []

    def hook(g):
        seen.append(g.item())

    first, second = x.register_hook(hook), x.register_hook(hook)
    first.remove()
    first.remove()
    (x * 3).sum().backward()
    assert seen == [3.0]
    second.remove()
    (x * 3).sum().backward()
    assert seen == [3.0]


def test_a_hook_that_was_registered_twice_is_removed_once():
    x, seen = leaf(2.0), []

    def hook(g):
        seen.append(g.item())

    first = x.register_hook(hook)
    x.register_hook(lambda g: None)
    x.register_hook(hook)
    first.remove()
    (x * 3).sum().backward()
    assert seen == [3.0]


def test_a_hook_that_removes_itself_leaves_the_next_one_its_turn():
    x, seen = leaf(2.0), []
    once = x.register_hook(lambda g: (seen.append("first"), once.remove())[1])
    x.register_hook(lambda g: seen.append("second"))
    for _ in range(2):
        (x * 3).sum().backward()
    assert seen == ["first", "second", "second"]


def test_a_hook_sees_a_copy_that_it_cannot_spoil():
    x, y, kept = leaf(2.0), leaf(1.0), []
    total = x + y
    x.register_hook(lambda g: kept.append(g))
    total.sum().backward()
    kept[0].zero_()
    assert x.grad.tolist() == [1.0] and y.grad.tolist() == [1.0]


def test_what_a_hook_writes_into_its_gradient_counts_for_this_tensor_alone():
    def double(grad):
        grad *= 2

    x, y = leaf(2.0), leaf(1.0)
    x.register_hook(double)
    (x + y).sum().backward()
    assert x.grad.tolist() == [2.0] and y.grad.tolist() == [1.0]


def test_the_gradient_a_hook_hands_back_stays_its_own():
    x, replacement = leaf(2.0), mt.tensor([5.0], dtype=mt.float64)
    x.register_hook(lambda g: replacement)
    x.sum().backward()
    x.sum().backward()
    assert x.grad.tolist() == [10.0] and replacement.tolist() == [5.0]


@pytest.mark.parametrize("interior", [False, True])
def test_grad_runs_the_hooks_of_its_inputs(interior):
    x, seen = leaf(2.0), []
    target = x * 1 if interior else x
    target.register_hook(lambda g: seen.append(g.item()) or g * 10)
    assert mt.autograd.grad((target * 3).sum(), target)[0].tolist() == [30.0] and seen == [3.0]


def test_grad_leaves_the_hooks_of_other_leaves_alone():
    x, other, seen = leaf(2.0), leaf(3.0), []
    other.register_hook(lambda g: seen.append(g))
    mt.autograd.grad((x * other).sum(), x)
    assert seen == []


def test_a_hook_is_part_of_a_second_derivative():
    x = leaf(2.0)
    x.register_hook(lambda g: g * x)
    (x * x).sum().backward(create_graph=True)  # 2x, times x
    assert x.grad.tolist() == [8.0]
    assert mt.autograd.grad(x.grad.sum(), x)[0].tolist() == [8.0 * 2.0]  # 4x, times x again by the hook


def test_the_hook_of_an_unused_tensor_is_not_called():
    x, seen = leaf(2.0), []
    unused = x * 5
    unused.register_hook(lambda g: seen.append(g))
    (x * 3).sum().backward()
    assert seen == []


def test_a_hook_that_returns_something_else_is_refused():
    x = leaf(2.0)
    handle = x.register_hook(lambda g: 1.0)
    with pytest.raises(RuntimeError, match=r"hook: expected None or a Tensor of shape \(1,\) on cpu, got float"):
        x.sum().backward()
    handle.remove()
    x.register_hook(lambda g: mt.ones(3))
    with pytest.raises(RuntimeError, match=r"hook: expected None or a Tensor of shape \(1,\) on cpu, got one of shape \(3,\)"):
        x.sum().backward()


def test_a_tensor_without_gradient_takes_no_hook():
    with pytest.raises(RuntimeError, match=r"register_hook: the tensor of shape \(3,\) does not require a gradient"):
        mt.ones(3).register_hook(print)
