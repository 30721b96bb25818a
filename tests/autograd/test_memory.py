"""Memory: dropping the loss frees the graph without the garbage collector, and every gradient owns its memory."""

import gc
import itertools
import weakref

import numpy as np
import pytest

import minitorch as mt
from minitorch import functional as F
from minitorch.autograd.node import Leaf, Node
from minitorch.autograd.op import Op
from tests.figures import memory


@pytest.fixture
def no_collector():
    """The garbage collector off, and nothing left for it to find beforehand."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def nodes_of(tensor):
    """Every node of the graph behind `tensor`."""
    found, stack = {}, [tensor.grad_fn]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and id(node) not in found:
            found[id(node)] = node
            stack.extend(node.edges)
    return list(found.values())


def watched(tensor, *others):
    """Weak references to the nodes behind `tensor`, the arrays they saved, and the tensors and arrays of `others`."""
    things = []
    for node in nodes_of(tensor):
        if type(node) is not Leaf:  # which its tensor holds
            things.append(node)
        things.extend(entry for entry in node.saved if isinstance(entry, np.ndarray))
    for other in (tensor, *others):
        things.extend([other, other.array])
    return [weakref.ref(thing) for thing in things]


def alive(references):
    return [reference() for reference in references if reference() is not None]


def small_net(x, w, filters):
    """A net with a view, a branch, an operation with two outputs, and an in-place change."""
    hidden = F.relu(F.conv2d(x, filters))
    pooled = F.max_pool2d(hidden, 2)
    both = mt.cat([pooled.flatten(1), pooled.flatten(1) * 2], 1)
    out = both @ w
    out += 1.0
    largest, _ = out.max(1)
    return F.cross_entropy(out, mt.zeros(4, dtype=mt.int64)) + largest.mean()


@pytest.fixture
def weights():
    generator = mt.Generator().manual_seed(0)
    x = mt.randn(4, 1, 6, 6, generator=generator)
    w = mt.randn(16, 3, generator=generator, requires_grad=True)
    filters = mt.randn(2, 1, 3, 3, generator=generator, requires_grad=True)
    return x, w, filters


@pytest.mark.usefixtures("no_collector")
def test_dropping_the_loss_frees_the_graph(weights):
    loss = small_net(*weights)
    references = watched(loss)
    assert len(references) > 20
    kept = {id(tensor.array) for tensor in weights}
    del loss
    assert all(id(thing) in kept for thing in alive(references))


@pytest.mark.usefixtures("no_collector")
def test_dropping_the_loss_frees_the_graph_after_backward(weights):
    loss = small_net(*weights)
    references = watched(loss)
    loss.backward()
    del loss
    kept = {id(tensor.array) for tensor in weights}
    assert all(id(thing) in kept for thing in alive(references))


@pytest.mark.usefixtures("no_collector")
def test_backward_frees_what_was_saved_while_the_loss_lives_on():
    x = mt.ones(5, requires_grad=True)
    hidden = x.exp()
    loss = hidden.sum()
    saved = weakref.ref(hidden.array)
    del hidden
    assert saved() is not None
    loss.backward()
    assert saved() is None and loss.item() > 0


@pytest.mark.usefixtures("no_collector")
def test_a_graph_made_by_create_graph_is_freed_with_its_gradients():
    x = mt.ones(5, dtype=mt.float64, requires_grad=True)
    loss = (x.exp() * x.sin()).sum()
    (first,) = mt.autograd.grad(loss, x, create_graph=True)
    (second,) = mt.autograd.grad((first * first).sum(), x, create_graph=True)
    references = watched(loss) + watched(first) + watched(second)
    del loss, first, second
    assert [thing for thing in alive(references) if thing is not x.array] == []


@pytest.mark.usefixtures("no_collector")
def test_a_gradient_with_a_history_is_the_only_cycle_and_dropping_it_ends_it():
    """After backward(create_graph=True) a leaf holds a gradient whose graph holds the leaf, as in PyTorch."""
    x = mt.ones(5, requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    leaf, node = weakref.ref(x), weakref.ref(x.grad.grad_fn)
    x.grad = None
    assert node() is None
    del x
    assert leaf() is None


@pytest.mark.usefixtures("no_collector")
def test_users_functions_and_hooks_make_no_cycle():
    class Exp(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            ctx.kept = out
            return out

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = mt.ones(5, requires_grad=True)
    y = Exp.apply(x)
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    references = watched(y)
    y.sum().backward()
    del y
    assert alive(references) == []


@pytest.mark.usefixtures("no_collector")
def test_an_in_place_change_makes_no_cycle():
    x = mt.ones(3, requires_grad=True)
    out = mt.zeros(3)
    for i in range(3):
        out[i] = x[i] * 2
    out *= x
    references = watched(out)
    del out
    assert [thing for thing in alive(references) if thing is not x.array] == []


def test_training_steps_leave_no_tensor_alive():
    left, _ = memory.train(300, 10, memory.training())
    assert left == 0


def test_a_step_that_keeps_its_loss_is_seen():
    kept, step, x = [], memory.training(), mt.ones(2, requires_grad=True)

    def leaking():
        kept.append((x * 2).sum())
        return step()

    left, _ = memory.train(300, 10, leaking)
    assert left == 300 * 3  # the loss and the two nodes behind it


# ---- gradients own their memory ------------------------------------------------------------------------------------------


def leaf(*shape):
    return mt.ones(*shape, requires_grad=True)


# graphs whose rules hand one array to several inputs, or a view of it, or a broadcast of it
SHARING = {
    "the sum of two": ([(2, 3), (2, 3)], lambda p, q: p + q),
    "the sum of three": ([(2, 3), (2, 3), (2, 3)], lambda p, q, r: p + q + r),
    "the sum of one with itself": ([(3,), (3,)], lambda p, q: p + p + q),
    "a broadcast sum": ([(3,), (2, 1)], lambda p, q: p + q),
    "an expansion": ([(3,)], lambda p: p.expand(2, 3)),
    "an expansion to its own shape": ([(3,)], lambda p: p.expand(3)),
    "a view": ([(6,)], lambda p: p.view(2, 3)),
    "a transposition": ([(2, 3), (3, 2)], lambda p, q: p.t() + q),
    "a concatenation": ([(2,), (3,)], lambda p, q: mt.cat([p, q])),
    "a stack": ([(2,), (2,)], lambda p, q: mt.stack([p, q])),
    "a copy": ([(3,)], lambda p: p.clone()),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("shapes, function", SHARING.values(), ids=SHARING)
def test_no_two_gradients_share_memory_and_all_may_be_written(shapes, function, create_graph):
    leaves = [leaf(*shape) for shape in shapes]
    out = function(*leaves)
    given = mt.ones_like(out)
    out.backward(given, retain_graph=True, create_graph=create_graph)
    of_sum = mt.autograd.grad(out.sum(), leaves, retain_graph=True, create_graph=create_graph)
    by_grad = mt.autograd.grad(out, leaves, given, create_graph=create_graph)
    arrays = [tensor.grad.array for tensor in leaves] + [g.array for g in (*of_sum, *by_grad, given)]
    for one, other in itertools.combinations(arrays, 2):
        assert not np.shares_memory(one, other)
    for array in arrays:
        array *= 0.5  # raises if it is a read-only view


def test_scaling_one_gradient_leaves_the_other():
    """DeZero's addition gives both inputs one gradient: clipping or weight decay then hits it twice."""
    p, q = leaf(2), leaf(2)
    (p + q).sum().backward()
    p.grad.mul_(0.5)
    assert p.grad.tolist() == [0.5, 0.5] and q.grad.tolist() == [1.0, 1.0]


def test_a_gradient_asked_for_twice_comes_as_two():
    x = leaf(3)
    one, other = mt.autograd.grad((x * 2).sum(), [x, x], create_graph=True)
    with mt.no_grad():
        one.zero_()
    assert other.tolist() == [2.0, 2.0, 2.0]


class Halves(Op):
    """a + b, whose rule makes one array and hands out both it and a view of it."""

    def forward(ctx, a, b):
        return a + b

    def backward(ctx, g):
        whole = g * 1.0
        return whole, whole.reshape(g.shape)


def test_a_rule_may_hand_out_a_view_of_another_gradient():
    x, y = leaf(3), leaf(3)
    late, double = y * 1.0, x * 2  # in the pass, `late` comes last: after x has had both of its gradients
    (Halves.apply(x, late) + double).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 3.0] and y.grad.tolist() == [1.0, 1.0, 1.0]


class Twice(Op):
    """a + b, whose rule makes one array for both inputs."""

    made = None

    def forward(ctx, a, b):
        return a + b

    def backward(ctx, g):
        Twice.made = g * 1.0
        return Twice.made, Twice.made


def test_a_rule_may_make_one_array_for_two_inputs():
    x, y = leaf(3), leaf(3)
    Twice.apply(x, y).sum().backward()
    assert not np.shares_memory(x.grad.array, y.grad.array)


class Anew(Op):
    """a + b, whose rule makes an array for each input."""

    made = ()

    def forward(ctx, a, b):
        return a + b

    def backward(ctx, g):
        made = g * 1.0, g * 1.0
        Anew.made = tuple(weakref.ref(array) for array in made)
        return made


def test_a_leaf_keeps_the_array_that_a_rule_made_for_it_without_a_copy():
    x, y = leaf(3), leaf(3)
    Anew.apply(x, y).sum().backward()
    assert x.grad.array is Anew.made[0]() and y.grad.array is Anew.made[1]()


def test_a_leaf_copies_an_array_that_a_rule_keeps():
    class Keeps(Op):
        kept = []

        def forward(ctx, a):
            return a * 1.0

        def backward(ctx, g):
            Keeps.kept.append(g * 2.0)
            return Keeps.kept[-1]

    x = leaf(3)
    Keeps.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0] * 3 and not np.shares_memory(x.grad.array, Keeps.kept[0])


def test_accumulating_does_not_write_into_a_gradient_that_a_graph_saved():
    x, v = leaf(1), leaf(1)
    (x * 3).sum().backward()
    loss = (v * x.grad).sum()
    (x * 5).sum().backward()
    with pytest.raises(RuntimeError, match=r"mul: an array of shape \(1,\) .* changed in place by backward"):
        loss.backward()


def test_a_gradient_kept_from_an_earlier_pass_may_be_written_to():
    x = leaf(3)
    (x * 2).sum().backward()
    with mt.no_grad():
        x.grad += 1.0
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0, 5.0]
