"""Work that is shared out among threads gives the same bits for any number of them, and behaves as in one thread otherwise."""

import contextvars
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F
from minitorch import threads
from minitorch.ops.pieces import masked
from minitorch.ops.strips import each_row, passes
from minitorch.optim.strips import STRIP
from minitorch.threads import CHEAP, LEAST, PIECE, get_num_threads, run, set_num_threads

LARGE = np.zeros(LEAST)  # enough for each of two pieces to be shared out


@pytest.fixture(autouse=True)
def number_as_before():
    before = get_num_threads()
    yield
    set_num_threads(before)


# ---- what uses it --------------------------------------------------------------------------------------------------------

ROWS = (2 * LEAST + 1000) // 500, 500
IMAGES = 9, 8, 130, 130
WIDE = 500, CHEAP // 500 + 300
WEIGHT, BIAS = np.linspace(-1, 2, 500, dtype=np.float32), np.linspace(3, 1, 500, dtype=np.float32)


def affine(norm, count):
    return lambda x: norm(x, mt.from_numpy(WEIGHT[:count]), mt.from_numpy(BIAS[:count]))


# fmt: off
USERS = {
    "exp": (ROWS, mt.exp), "tanh": (ROWS, mt.tanh), "sin": (ROWS, mt.sin), "log": (ROWS, lambda x: (x * x).log()),
    "relu": (WIDE, F.relu), "leaky_relu": (WIDE, F.leaky_relu), "clamp": (ROWS, lambda x: x.clamp(-1, 1)),
    "sigmoid": (ROWS, mt.sigmoid), "silu": (ROWS, F.silu), "gelu": (ROWS, F.gelu), "logsigmoid": (ROWS, F.logsigmoid),
    "sum": (WIDE, lambda x: x.sum()), "sum of rows": (WIDE, lambda x: x.sum(1)), "sum of columns": (WIDE, lambda x: x.sum(0)),
    "mean of channels": (IMAGES, lambda x: x.mean((0, 2, 3))), "cumsum": (ROWS, lambda x: x.cumsum(0)),
    "softmax": (ROWS, lambda x: mt.softmax(x, 1)), "max_pool2d": (IMAGES, lambda x: F.max_pool2d(x, 3, 2, 1)),
    "cross_entropy": (ROWS, lambda x: F.cross_entropy(x, mt.arange(x.shape[0]) % 500)),
    "sort": (ROWS, lambda x: x.sort(1, descending=True)[0]),
    "where": (ROWS, lambda x: mt.where(x > 0, x, x * 0.1)), "where with a number": (ROWS, lambda x: mt.where(x > 0, 0.5, x)),
    "layer_norm": (ROWS, affine(lambda x, w, b: F.layer_norm(x, (500,), w, b), 500)),
    "group_norm": (IMAGES, affine(lambda x, w, b: F.group_norm(x, 2, w, b), 8)),
}
# fmt: on


def images_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if a.ndim == 4 else np.asfortranarray(a)


ALONE = ("mean of channels", np.ascontiguousarray), ("softmax", images_last)  # computed in one piece


@pytest.mark.parametrize("layout", [np.ascontiguousarray, images_last])
@pytest.mark.parametrize("name", USERS)
def test_the_bits_do_not_depend_on_the_number_of_threads(name, layout, monkeypatch):
    shared = []
    monkeypatch.setattr(
        threads._Share, "wait", lambda share, wait=threads._Share.wait: (shared.append(len(share.helping)), wait(share))
    )
    shape, function = USERS[name]
    values = layout(np.random.default_rng(0).standard_normal(shape, np.float32))
    set_num_threads(1)
    given = function(mt.from_numpy(values)).numpy()
    found = []
    for number in (1, 2, 3):
        set_num_threads(number)
        x = mt.from_numpy(values).requires_grad_()
        out = function(x)
        (grad,) = mt.autograd.grad(out, x, mt.from_numpy(given).reshape(out.shape))
        found.append([out.detach().numpy(), grad.numpy()])
        assert bool(shared) == (number > 1) or (name, layout) in ALONE
    for others in found[1:]:
        for one, other in zip(found[0], others):
            np.testing.assert_array_equal(one, other)
            assert one.strides == other.strides


@pytest.mark.parametrize("dtype", [mt.float32, mt.float16])
@pytest.mark.parametrize(
    "make",
    [
        lambda p: mt.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        lambda p: mt.optim.AdamW(p, lr=0.1, maximize=True),
        lambda p: mt.optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
    ],
)
def test_parameters_do_not_depend_on_the_number_of_threads(make, dtype):
    start = np.random.default_rng(0).standard_normal((9, STRIP // 3))
    found = []
    for number in (1, 2, 3):
        set_num_threads(number)
        p = mt.tensor(start, dtype=dtype, requires_grad=True)
        optimizer = make([p])
        for step in range(3):
            p.grad = (p * (step + 1)).detach()
            optimizer.step()
        found.append([p.detach().numpy(), *(value.numpy() for value in optimizer.state[p].values())])
    for others in found[1:]:
        for one, other in zip(found[0], others):
            np.testing.assert_array_equal(one, other)


# ---- the threads ---------------------------------------------------------------------------------------------------------


def test_each_piece_is_computed_once_by_several_threads():
    set_num_threads(3)
    seen, there = [], threading.Barrier(3)

    def work(_, at):
        if at < 3:
            there.wait(10)  # passes only if three threads are at work
        seen.append((at, threading.get_ident()))

    run(work, [(LARGE, at) for at in range(50)])
    assert sorted(at for at, _ in seen) == list(range(50))
    assert len({thread for _, thread in seen}) == 3


@pytest.mark.parametrize("pieces", [[(LARGE, 0)], [(LARGE[:10], 0), (LARGE[:10], 1)]])
def test_little_work_stays_in_the_thread(pieces):
    set_num_threads(2)
    seen = []
    run(lambda _, at: seen.append((at, threading.get_ident())), pieces)
    assert seen == [(at, threading.get_ident()) for _, at in pieces]


def test_what_a_piece_shares_out_stays_in_its_thread():
    set_num_threads(2)
    seen = []

    run(
        lambda _, at: run(lambda a, k: seen.append((at, k, threading.get_ident())), [(LARGE, k) for k in range(3)]),
        [(LARGE, at) for at in range(4)],
    )
    assert sorted((at, k) for at, k, _ in seen) == [(at, k) for at in range(4) for k in range(3)]
    assert all(len({thread for at, _, thread in seen if at == one}) == 1 for one in range(4))


def test_an_exception_reaches_the_caller_when_no_piece_is_under_way_any_more():
    set_num_threads(2)
    at_work, both = [], threading.Barrier(2)

    def work(_, at):
        both.wait(10)
        if at == 1:
            raise ZeroDivisionError("piece 1")
        time.sleep(0.05)
        at_work.append(at)

    with pytest.raises(ZeroDivisionError, match="piece 1"):
        run(work, [(LARGE, 0), (LARGE, 1)])
    assert at_work == [0]
    run(lambda _, at: at_work.append(at), [(LARGE, at) for at in range(4)])  # the threads are there for the next
    assert sorted(at_work) == [0, 0, 1, 2, 3]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timer of signals")
def test_an_interrupted_caller_waits_for_the_pieces_under_way():
    set_num_threads(2)
    begun, done = threading.Event(), []

    def work(_, at):
        if threading.current_thread() is threading.main_thread():
            begun.wait(10)
            if len(done) < 1:
                return
        begun.set()
        time.sleep(0.3)
        done.append(at)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            run(work, [(LARGE, 0), (LARGE, 1)])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(done) == 1


def test_numpys_error_state_and_context_are_those_of_the_caller():
    set_num_threads(2)
    kept = contextvars.ContextVar("kept", default=0)
    seen, both = [], threading.Barrier(2)

    def work(_, at):
        both.wait(10)
        seen.append((np.geterr()["divide"], kept.get()))
        kept.set(at + 2)

    for state in "raise", "ignore":
        token = kept.set(1)
        with np.errstate(divide=state):
            run(work, [(LARGE, 0), (LARGE, 1)])
        kept.reset(token)
        assert seen[-2:] == [(state, 1)] * 2


def test_two_threads_that_compute_at_once_are_both_right():
    set_num_threads(2)
    values = np.linspace(-3, 3, 2 * LEAST, dtype=np.float32)
    expected = F.gelu(mt.from_numpy(values)).numpy()
    found = []
    users = [threading.Thread(target=lambda: found.append(F.gelu(mt.from_numpy(values)).numpy())) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(found) == 4 and all(np.array_equal(one, expected) for one in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_computes_with_threads_of_its_own():
    set_num_threads(2)
    run(lambda *_: None, [(LARGE, 0), (LARGE, 1)])
    child = os.fork()
    if not child:
        code = 1
        try:
            both = threading.Barrier(2)
            run(lambda *_: both.wait(10), [(LARGE, 0), (LARGE, 1)])
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + 20
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.01)
    if done == (0, 0):
        os.kill(child, signal.SIGKILL)
    assert done == (child, 0)


def test_work_is_done_where_no_thread_can_be_started(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_started", 0)
    monkeypatch.setattr(threading.Thread, "start", refused)
    set_num_threads(3)
    seen = []
    run(lambda _, at: seen.append(at), [(LARGE, at) for at in range(5)])
    assert seen == [0, 1, 2, 3, 4]


def test_a_pass_or_two_are_cut_only_where_threads_share_them():
    large, small = np.zeros(CHEAP), np.zeros(CHEAP - 1)
    for number, pieces in (1, 1), (2, CHEAP // STRIP):
        set_num_threads(number)
        assert len(passes(large)) == pieces and len(passes(small)) == 1


def test_operands_of_other_shapes_are_combined_as_ever():
    set_num_threads(2)
    x = mt.arange(2 * LEAST).reshape(-1, 512) * 0.5
    row, column = x[:1].squeeze(0), x[:, :1]
    for other in row, column, mt.tensor(2.0):
        expected = np.where(x.numpy() > 9, x.numpy(), other.numpy())
        np.testing.assert_array_equal(mt.where(x > 9, x, other).numpy(), expected)


def test_a_mask_and_rows_of_other_shapes_are_combined_as_ever():
    set_num_threads(2)
    mask = np.arange(CHEAP).reshape(-1, 512) % 3 == 0
    np.testing.assert_array_equal(masked(np.full((1, 512), 2.0), mask), 2.0 * mask)
    rows, weights = np.arange(2.0 * PIECE + 16).reshape(-1, 2), np.arange(PIECE + 8.0)
    np.testing.assert_array_equal(each_row(lambda a, b: a * b[:, None], rows, weights), rows * weights[:, None])


def test_what_is_divided_by_a_sum_over_the_first_dimension_is_not_cut_along_it():
    x = np.sin(np.arange(PIECE + 600.0)).reshape(-1, 8)
    found = []
    for a, dim in (x, 0), (x.T.copy(), 1):
        a = mt.from_numpy(a).requires_grad_()
        p = mt.softmax(a, dim)
        (da,) = mt.autograd.grad((p * a).sum(), a)
        found.append([array if dim == 0 else array.T for array in (p.detach().numpy(), da.numpy())])
    for down, across in zip(*found):
        np.testing.assert_allclose(down, across, rtol=1e-9, atol=1e-15)


def test_no_array_is_kept_alive():
    set_num_threads(2)
    array = np.zeros(2 * LEAST)
    gone = weakref.ref(array)
    run(lambda _: time.sleep(0.001), [(array[:LEAST],), (array[LEAST:],)])
    del array
    assert gone() is None


# ---- their number --------------------------------------------------------------------------------------------------------


def test_the_number_is_the_one_set():
    for number in (3, 1):
        mt.set_num_threads(number)
        assert mt.get_num_threads() == number


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "2", None])
def test_a_number_that_is_none_is_refused(number):
    before = mt.get_num_threads()
    with pytest.raises(RuntimeError, match=r"set_num_threads: expected a (whole )?number"):
        mt.set_num_threads(number)
    assert mt.get_num_threads() == before


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 4),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "2,4"}, 2),
        ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "100"}, 6),
        ({"OMP_NUM_THREADS": "0", "OPENBLAS_NUM_THREADS": "many"}, 4),
    ],
)
def test_at_the_start_it_is_what_the_environment_allows(monkeypatch, environment, expected):
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert threads._at_start() == expected
