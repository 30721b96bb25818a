"""Recording on and off: as a block, a decorator, a call; restored after exceptions; each thread by itself."""

import threading

import pytest

import minitorch as mt


@pytest.fixture(autouse=True)
def recording_is_left_as_it_was():
    assert mt.is_grad_enabled()
    yield
    left = mt.is_grad_enabled()
    mt.set_grad_enabled(True)
    assert left


def recorded():
    return (mt.ones(2, requires_grad=True) * 2).requires_grad


def test_nothing_is_recorded_under_no_grad():
    x = mt.ones(2, requires_grad=True)
    with mt.no_grad():
        y = x * 2
    assert not y.requires_grad and y.is_leaf and y.grad_fn is None and (x * 2).requires_grad


def test_enable_grad_records_inside_no_grad():
    with mt.no_grad():
        with mt.enable_grad():
            assert recorded()
        assert not recorded()


@pytest.mark.parametrize("wanted", [True, False])
def test_set_grad_enabled_is_a_block(wanted):
    with mt.set_grad_enabled(wanted):
        assert recorded() == wanted
    assert recorded()


def test_set_grad_enabled_is_a_switch():
    mt.set_grad_enabled(False)
    assert not recorded()
    mt.set_grad_enabled(True)
    assert recorded()


@pytest.mark.parametrize(
    "decorator", [lambda f: mt.no_grad()(f), mt.no_grad, lambda f: mt.set_grad_enabled(False)(f)], ids=["()", "bare", "set"]
)
def test_a_function_may_be_decorated(decorator):
    @decorator
    def documented(factor, *, sign=1):
        """What it says."""
        return recorded(), factor * sign

    assert mt.is_grad_enabled()
    assert documented(3, sign=-1) == (False, -3) and documented.__doc__ == "What it says."


def test_enable_grad_decorates_too():
    @mt.enable_grad
    def bare():
        return recorded()

    @mt.enable_grad()
    def called():
        return recorded()

    with mt.no_grad():
        assert bare() and called() and not recorded()


def test_a_decorator_may_be_used_twice():
    decorator = mt.set_grad_enabled(False)
    first, second = decorator(recorded), decorator(recorded)
    assert not first() and not second() and recorded()


def test_a_decorated_function_may_call_itself():
    @mt.no_grad()
    def count(n):
        return [recorded()] + (count(n - 1) if n else [])

    assert count(3) == [False] * 4


def test_around_a_generator_each_step_is_switched_and_nothing_between():
    seen = []

    @mt.no_grad()
    def steps():
        try:
            got = yield mt.is_grad_enabled()
            seen.append((got, mt.is_grad_enabled()))
            yield mt.is_grad_enabled()
        except KeyError:
            seen.append(mt.is_grad_enabled())
            yield "caught"
        finally:
            seen.append(mt.is_grad_enabled())
        return "end"

    generator = steps()
    assert next(generator) is False and mt.is_grad_enabled()
    assert generator.send(5) is False and mt.is_grad_enabled() and seen == [(5, False)]
    assert generator.throw(KeyError("k")) == "caught" and mt.is_grad_enabled()
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "end" and mt.is_grad_enabled() and seen[1:] == [False, False]
    unfinished = steps()
    next(unfinished)
    unfinished.close()
    assert seen[3:] == [False] and mt.is_grad_enabled()


@pytest.mark.parametrize("block", [mt.no_grad, mt.enable_grad, lambda: mt.set_grad_enabled(False)])
def test_the_mode_comes_back_after_an_exception(block):
    for _ in range(4):
        with pytest.raises(KeyError), block():
            raise KeyError
        assert mt.is_grad_enabled()


def test_the_mode_comes_back_after_an_exception_in_a_decorated_function():
    @mt.no_grad()
    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert mt.is_grad_enabled()


@pytest.mark.parametrize("make", [mt.no_grad, lambda: mt.set_grad_enabled(False)], ids=["no_grad", "set_grad_enabled"])
def test_one_block_may_be_entered_again_and_within_itself(make):
    block = make()
    with block:
        pass
    assert recorded()
    with block:
        with block:
            assert not recorded()
        assert not recorded()
    assert recorded()


def test_another_thread_records_whatever_this_one_does():
    seen = []
    with mt.no_grad():
        thread = threading.Thread(target=lambda: seen.append(recorded()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_switching_in_another_thread_changes_nothing_here():
    inside, leave = threading.Event(), threading.Event()

    def work():
        with mt.no_grad():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    seen = recorded()
    leave.set()
    thread.join()
    assert seen


def test_factories_ask_for_gradients_under_no_grad_as_well():
    with mt.no_grad():
        x = mt.ones(2, requires_grad=True)
    assert x.requires_grad and (x * 2).requires_grad


def test_backward_with_create_graph_records_under_no_grad_and_puts_the_mode_back():
    x = mt.tensor(2.0, requires_grad=True)
    y = x**3
    with mt.no_grad():
        (g,) = mt.autograd.grad(y, x, create_graph=True)
        assert not mt.is_grad_enabled()
    assert mt.autograd.grad(g, x)[0].item() == 12.0


def test_inference_mode_of_false_records_within_another():
    with mt.inference_mode(), mt.inference_mode(False):
        assert recorded()
