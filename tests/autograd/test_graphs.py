"""Graphs of any shape: very deep, very wide, full of diamonds; each rule runs once, and freeing one never recurses."""

import sys
import threading
import weakref

import numpy as np
import pytest

import minitorch as mt
from minitorch.autograd.changes import FREED
from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.op import Op
from minitorch.autograd.watch import Watch


class Counted(Op):
    """a + b, with a count of how often the rule runs.  da = db = g."""

    runs = 0

    def forward(ctx, a, b):
        return a + b

    def backward(ctx, g):
        Counted.runs += 1
        return g, g


@pytest.fixture
def add():
    Counted.runs = 0
    return Counted.apply


def test_a_chain_of_100_000_operations_goes_back(add):
    x = mt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = add(y, 1.0)
    y.backward()
    assert y.item() == 100_001 and x.grad.item() == 1.0 and Counted.runs == 100_000


def test_a_long_chain_that_saves_arrays_goes_back_and_is_differentiated_again():
    x = mt.tensor(1.0, dtype=mt.float64, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y * 1.0001
    (first,) = mt.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = mt.autograd.grad(first, x)
    np.testing.assert_allclose([first.item(), second.item()], [2 * 1.0001**10_000] * 2, rtol=1e-9)


def test_a_chain_of_100_000_operations_is_freed_even_by_a_thread_with_a_small_stack():
    done = []

    def work():
        y = mt.tensor(1.0, requires_grad=True)
        for _ in range(100_000):
            y = y + 1.0
        last = weakref.ref(y.grad_fn)
        del y
        done.append(last() is None)

    # Python 3.13 itself frees nested lists by recursion, up to a depth of 10,000 whatever the stack: 256 kB are too few there
    size = threading.stack_size(1024 * 1024 if sys.version_info[:2] == (3, 13) else 256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert done == [True]


def test_a_graph_10_000_wide_goes_back(add):
    leaves = [mt.tensor(float(i), requires_grad=True) for i in range(10_000)]
    total = leaves[0] * 2
    for i, leaf in enumerate(leaves[1:], start=1):
        total = add(total, leaf * (i + 2))
    total.backward()
    assert [leaf.grad.item() for leaf in leaves] == [i + 2 for i in range(10_000)] and Counted.runs == 9_999


def test_10_000_tensors_are_joined_by_one_operation():
    leaves = [mt.tensor([float(i)], requires_grad=True) for i in range(10_000)]
    (mt.cat(leaves) * 2).sum().backward()
    assert all(leaf.grad.tolist() == [2.0] for leaf in leaves)


def test_one_leaf_used_10_000_times_gets_the_sum():
    x = mt.tensor(1.0, dtype=mt.float64, requires_grad=True)
    mt.stack([x * i for i in range(10_000)]).sum().backward()
    assert x.grad.item() == sum(range(10_000))


def test_a_ladder_of_diamonds_costs_one_run_per_operation_and_not_per_path(add):
    x = mt.tensor(1.0, dtype=mt.float64, requires_grad=True)
    y = x
    for _ in range(60):  # 2^60 paths
        y = add(y, y)
    (g,) = mt.autograd.grad(y, x, retain_graph=True)
    assert g.item() == 2.0**60 and Counted.runs == 60
    y.backward()
    assert x.grad.item() == 2.0**60 and Counted.runs == 120


def test_every_output_of_one_operation_reaches_it_in_one_run(add):
    x = mt.arange(6.0, requires_grad=True)
    parts = add(x, 0.0).split(2)
    (parts[0] + parts[1] * 10 + parts[2] * 100).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 10.0, 10.0, 100.0, 100.0] and Counted.runs == 1


def test_only_the_way_from_the_outputs_to_the_inputs_is_walked(add):
    x, other = mt.tensor(1.0, requires_grad=True), mt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10):
        y = add(y, 1.0)
    middle = y
    beside = other
    for _ in range(50):
        beside = add(beside, 1.0)
    for _ in range(10):
        y = add(y, beside)
    (g,) = mt.autograd.grad(y, middle)
    assert g.item() == 1.0 and Counted.runs == 10


def test_a_graph_that_another_pass_has_just_freed_says_so():
    for use in (list, len, lambda freed: freed[0]):
        with pytest.raises(RuntimeError, match="another backward pass has just freed this graph"):
            use(FREED)
    assert FREED  # a node that had saved something still has to be checked


def test_the_output_of_an_operation_of_several_stands_for_it_and_knows_which_it_is():
    _, s, _ = mt.svd(mt.tensor([[3.0, 1.0], [0.0, 2.0]], requires_grad=True))
    (node, position), constant = (s * 2).grad_fn.next_functions
    assert node is s.grad_fn.edges[0] and position == 1 and constant == (None, 0)
    assert s.grad_fn.name() == node.name() and s.grad_fn.title == "svd"
    assert s.grad_fn.as_source() == (node, 1)


def test_a_watch_is_told_once_that_a_pass_has_ended():
    class Ended(Watch):
        passes = 0

        def finished(self):
            self.passes += 1

    x, watch = mt.ones(2, requires_grad=True), Ended()
    with Switch(watch, "watch"):
        (x * 2).sum().backward()
        mt.autograd.grad((x * x).sum(), x)
    (x * 2).sum().backward()
    assert watch.passes == 2
