"""Threads: no gradient is lost, two passes over one graph end right or with one clear error, and which switches are whose."""

import sys
import threading

import numpy as np

import minitorch as mt


def together(count, work):
    """Run `work(i)` in `count` threads that start at once; what they raised."""
    gate, raised = threading.Barrier(count), []

    def run(i):
        gate.wait()
        try:
            work(i)
        except Exception as reason:
            raised.append(reason)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def often(interval=1e-6):
    """Let Python change threads as often as it can; returns what puts it back."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    return lambda: sys.setswitchinterval(before)


def test_gradients_of_many_threads_add_up_in_one_leaf():
    x = mt.zeros(100_000, requires_grad=True)
    losses = [[(x * 1.0).sum() for _ in range(5)] for _ in range(8)]
    assert together(8, lambda i: [loss.backward() for loss in losses[i]]) == []
    np.testing.assert_array_equal(x.grad.numpy(), 40.0)


def test_no_trial_of_a_hundred_loses_an_addition():
    x = mt.zeros(300_000, requires_grad=True)
    for _ in range(100):
        x.grad = None
        losses = [(x * 1.0).sum() for _ in range(8)]
        assert together(8, lambda i: losses[i].backward()) == []  # noqa: B023  joined before the next
        assert (x.grad.array == 8.0).all()


def test_small_gradients_and_recorded_ones_add_up_too():
    restore = often()
    try:
        for create_graph in (False, True):
            x = mt.zeros(3, requires_grad=True)
            losses = [[(x * 1.0).sum() for _ in range(20)] for _ in range(4)]
            assert together(4, lambda i: [each.backward(create_graph=create_graph) for each in losses[i]]) == []  # noqa: B023  joined before the next
            assert x.grad.tolist() == [80.0] * 3
    finally:
        restore()


def test_two_passes_over_one_graph_end_right_or_with_one_error():
    restore = often()
    try:
        for _ in range(20):
            x = mt.ones(50, requires_grad=True)
            y = x
            for _ in range(30):
                y = (y * 1.0).exp().log()
            loss = y.sum()
            raised = together(2, lambda i: loss.backward())  # noqa: B023  joined before the next
            assert len(raised) <= 2
            for reason in raised:
                assert isinstance(reason, RuntimeError) and "freed" in str(reason), reason
            np.testing.assert_allclose(0.0 if x.grad is None else x.grad.numpy(), 2.0 - len(raised), rtol=1e-5)
    finally:
        restore()


def test_two_passes_over_a_graph_that_is_kept_are_both_right():
    x = mt.ones(50, requires_grad=True)
    loss = ((x * 3.0).exp().log() * x).sum()
    assert together(4, lambda i: [loss.backward(retain_graph=True) for _ in range(10)]) == []
    np.testing.assert_allclose(x.grad.numpy(), 40 * 6.0, rtol=1e-4)


def test_the_default_dtype_is_the_process_s_and_the_default_device_the_thread_s(cupy):
    seen = []
    mt.set_default_dtype(mt.float64)
    mt.set_default_device("cuda")
    try:
        assert together(1, lambda i: seen.append((mt.zeros(1).dtype, str(mt.zeros(1).device)))) == []
    finally:
        mt.set_default_dtype(mt.float32)
        mt.set_default_device("cpu")
    assert seen == [(mt.float64, "cpu")]


def test_a_pass_in_a_thread_beside_a_watched_one_is_an_ordinary_pass():
    x = mt.tensor([1.0, 2.0], dtype=mt.float64, requires_grad=True)

    def work(_):
        (x.float() * mt.ones(3, 2)).sum().backward()  # a gradient that is summed and cast to fit x

    with mt.autograd.detect_anomaly():
        assert together(1, work) == []
    assert x.grad.tolist() == [3.0, 3.0]
