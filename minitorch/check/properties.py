"""`op_checks`: what holds of every good operation, one test for each property.

@pytest.mark.parametrize("check", op_checks(MyOp, [(x, w), (y, w)], reference=my_formula))
def test_my_op(check):
    check()
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from minitorch.autograd import numbers, questions
from minitorch.autograd.explain import Question, first_mistake
from minitorch.autograd.mistakes import Mistake, mistake
from minitorch.autograd.op import Op
from minitorch.autograd.trial import Source, Trial, array, quiet


def op_checks(
    op: type[Op],
    cases: Sequence[tuple[Any, ...]],
    *,
    reference: Callable[..., Any] | None = None,
    strict: bool = False,
    orders: int = 2,
    **parameters: Any,
) -> list[Callable[[], None]]:
    """The properties of an operation as functions without arguments, each of which raises AssertionError where it fails.

    `cases` are tuples of inputs, arrays or tensors, on each of which every property must hold; `parameters` go to `op.apply`
    with all of them. They are: `value`, against `reference`, which takes the same arrays and is left out if there is none;
    `first_derivative` and `second_derivative` (unless `orders` is 1), by the complex step or differences; `broadcasting` (for
    operations on elements), `float32` kept, memory `layouts`, `empty` inputs, inputs `unchanged`, and `repeatable`.
    `strict` asks for gradients of exactly the inputs' shapes.
    """
    return [
        _test(name, holds, [Trial(op, tuple(case), parameters, strict) for case in cases])
        for name, holds in properties(reference, orders).items()
    ]


def _test(name: str, holds: Question, trials: list[Trial]) -> Callable[[], None]:
    def check() -> None:
        for trial in trials:
            found = first_mistake(trial, [questions.forward_runs, questions.rule_runs, questions.returned, holds])
            if found is not None:
                raise AssertionError(f"{trial.op.__name__}: {found}")

    check.__name__ = check.__qualname__ = name
    return check


def properties(reference: Callable[..., Any] | None, orders: int) -> dict[str, Question]:
    """Each property by its name."""
    found: dict[str, Question] = {} if reference is None else {"value": lambda t: value(t, reference)}
    found |= {
        "first_derivative": lambda t: first_mistake(t, [*RULE, numbers.inputs_can_tell, numbers.holds_for_other_lengths]),
        "broadcasting": broadcasting,
        "float32": numbers.keeps_float32,
        "layouts": layouts,
        "empty": empty,
        "unchanged": lambda t: first_mistake(t, [questions.forward_keeps, questions.leaves_alone]),
        "repeatable": lambda t: first_mistake(t, [questions.forward_keeps, questions.repeats]),
    }
    return found | ({"second_derivative": numbers.differentiates_twice} if orders == 2 else {})


RULE: Final = [questions.shapes_fit, questions.multiplies_by_g, numbers.jacobian_is_right]


def value(t: Trial, reference: Callable[..., Any]) -> Mistake | None:
    """Whether forward gives what `reference` gives, to 1e-12 of the largest."""
    results = reference(*t.inputs, **t.parameters)
    for got, expected in zip(t.first.results, results if isinstance(results, tuple) else (results,)):
        got, expected, place = array(got), array(expected), Source(t.forward).answer()
        if got.shape != expected.shape:
            return mistake("value", place, got=f"shape {tuple(got.shape)}", expected=f"shape {tuple(expected.shape)}", at="")
        wrong = ~np.isclose(got, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max(initial=0.0)), equal_nan=True)
        if wrong.any():
            index = np.unravel_index(np.argmax(wrong), wrong.shape)
            at = f" at {[int(n) for n in index]}"
            return mistake("value", place, got=f"{got[index]:.6g}", expected=f"{expected[index]:.6g}", at=at)
    return None


def broadcasting(t: Trial) -> Mistake | None:
    """Whether the rule holds where an input of an operation on elements is stretched along an axis of length one.

    With `strict` the cases themselves are what is to be summed.
    """
    if t.strict:
        return None
    try:
        on_elements = np.broadcast_shapes(*(t.inputs[i].shape for i in t.places)) == t.out.shape
    except ValueError:
        return None
    axes = [(i, axis) for i in t.places for axis in range(t.inputs[i].ndim)]
    for i, axis in axes if on_elements and len(t.places) > 1 else ():
        other = t.moved(i, t.inputs[i].take([0], axis))
        with contextlib.suppress(Exception):  # a forward that does not broadcast
            if other.out.shape == t.out.shape:
                found = first_mistake(other, [questions.rule_runs, *RULE])
                if found is not None:
                    return found._replace(says=f"with {t.names[i]} of shape {tuple(other.inputs[i].shape)}: {found.says}")
    return None


def layouts(t: Trial) -> Mistake | None:
    """Whether the same numbers in another memory order give the same values and gradients."""
    other, g = t.on([np.asfortranarray(a) if isinstance(a, np.ndarray) else a for a in t.inputs]), t.random()
    if not np.allclose(other.first.values(), t.first.values(), rtol=1e-12, atol=1e-12, equal_nan=True):
        return mistake("layouts", Source(t.forward).answer(), what="forward's values")
    ours, theirs = t.gradients(g), other.gradients(g)
    for i in t.places:
        if not np.allclose(ours[i], theirs[i], rtol=1e-12, atol=1e-12, equal_nan=True):
            return mistake("layouts", t.source.answer(i), what=f"the gradient of {t.names[i]}")
    return None


def empty(t: Trial) -> Mistake | None:
    """Whether the rule takes inputs of which there are none, where forward does."""
    first = t.inputs[t.places[0]]
    if not first.ndim:
        return None
    alone = [t.places[0]]
    alike = [i for i in t.places if t.inputs[i].shape[:1] == first.shape[:1]]
    for cut in (alone, alike) if alike != alone else (alone,):
        other = t.on([a[:0] if i in cut else a for i, a in enumerate(t.inputs)])
        try:
            fits = np.isfinite(other.first.values()).all()
        except Exception:
            continue  # forward refuses it
        if fits:
            found = first_mistake(other, [questions.rule_runs, questions.shapes_fit])
            return found and found._replace(says=f"on inputs of which there are none: {found.says}")
    return None


def errors(t: Trial, orders: int) -> Iterator[float]:
    """The largest error of the first derivatives, and of the second, relative to the derivative plus one."""
    with quiet():
        yield max((_error(t.rules[i], t.jacobians[i][0]) for i in t.places), default=0.0)
        if orders == 2:
            yield max((_error(got, truth) for _, got, truth, _ in numbers.second_derivatives(t)), default=0.0)


def _error(got: np.ndarray, truth: np.ndarray) -> float:
    return float((np.abs(got - truth) / (1 + np.abs(truth))).max(initial=0.0))
