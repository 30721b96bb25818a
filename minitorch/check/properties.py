"""`op_checks`: the properties of a correct operation, one test for each.

@pytest.mark.parametrize("check", op_checks(MyOp, [(x, w), (y, w)], reference=my_formula))
def test_my_op(check):
    check()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.autograd.explain import OTHER_INPUTS, QUESTIONS, RULE, Question, elsewhere, first_mistake, rule, shapes_fit
from minitorch.autograd.jacobians import on_elements
from minitorch.autograd.mistakes import Mistake, found
from minitorch.autograd.op import Op
from minitorch.autograd.trial import Trial, array, at


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
    with all of them. They are: `value`, compared with `reference` on the same arrays, if one is given;
    `first_derivative` and `second_derivative` (unless `orders` is 1), by the complex step or differences; `broadcasting` (for
    operations on elements), `float32` kept, memory `layouts`, `empty` inputs, inputs `unchanged`, and `repeatable`.
    `strict` asks for gradients of exactly the inputs' shapes.
    """
    trials = [Trial(op, tuple(case), parameters, strict) for case in cases]
    ask = {question.__name__: question for question in QUESTIONS}
    properties: dict[str, list[Question]] = {
        "value": [lambda t: value(t, reference)] if reference else [],
        "first_derivative": [*RULE, *OTHER_INPUTS],
        "broadcasting": [broadcasting],
        "float32": [ask["keeps_float32"]],
        "layouts": [layouts],
        "empty": [empty],
        "unchanged": [ask["leaves_alone"]],
        "repeatable": [ask["repeats"]],
        "second_derivative": [ask["differentiates_twice"]] if orders == 2 else [],
    }
    return [_test(name, [ask["forward"], rule, *asked], trials) for name, asked in properties.items() if asked]


def _test(name: str, asked: list[Question], trials: list[Trial]) -> Callable[[], None]:
    def check() -> None:
        for mistake in filter(None, (first_mistake(trial, asked) for trial in trials)):
            raise AssertionError(f"{trials[0].op.__name__}: {mistake}")

    check.__name__ = check.__qualname__ = name
    return check


def value(t: Trial, reference: Callable[..., Any]) -> Iterator[Mistake]:
    """Does forward give what `reference` gives, to 1e-12 of the largest?"""
    results = reference(*t.inputs, **t.parameters)
    for got, expected in zip(t.first.results, results if isinstance(results, tuple) else (results,)):
        got, expected = array(got), array(expected)
        wrong = [(f"shape {got.shape}", f"shape {expected.shape}", "")]
        if got.shape == expected.shape:
            near = np.isclose(got, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max(initial=0.0)), equal_nan=True)
            wrong = [(got.flat[k], expected.flat[k], at(k, got.shape, " at ")) for k in np.flatnonzero(~near)]
        for has, wanted, place in wrong:
            yield from found({"value": True}, t.forward.answer(0), got=has, expected=wanted, at=place)


def broadcasting(t: Trial) -> Iterator[Mistake]:
    """Does the rule hold where an input of an elementwise operation is stretched along a length-one axis? Not for `strict`."""
    for i in t.places if not t.strict and all(on_elements(t, i) for i in t.places) else ():
        for axis in range(t.inputs[i].ndim):
            inputs = [a.take([0], axis) if k == i else a for k, a in enumerate(t.inputs)]
            yield from elsewhere(t.on(inputs), RULE, f"with {t.names[i]} of shape {inputs[i].shape}", t.out.shape)


def layouts(t: Trial) -> Iterator[Mistake]:
    """Do the same numbers in another memory order give the same values and gradients?"""
    other, g = t.on([np.asfortranarray(a) if isinstance(a, np.ndarray) else a for a in t.inputs]), t.random()
    ours, theirs = t.gradients(g), other.gradients(g)
    made = [("forward's values", t.first.flat(), other.first.flat(), t.forward.answer(0))]
    made += [(f"the gradient of {t.names[i]}", ours[i], theirs[i], t.rule.answer(i)) for i in t.places]
    for what, one, two, place in made:
        yield from found({"layouts": not np.allclose(one, two, rtol=1e-12, atol=1e-12, equal_nan=True)}, place, what=what)


def empty(t: Trial) -> Iterator[Mistake]:
    """Does the rule accept inputs without elements, where forward does?"""
    first = t.places[0]
    alike = [i for i in t.places if t.inputs[i].shape[:1] == t.inputs[first].shape[:1] != ()]
    for cut in ([first], alike) if alike else ():
        inputs = [a[(np.s_[:0],) * (1 + t.square)] if i in cut else a for i, a in enumerate(t.inputs)]
        yield from elsewhere(t.on(inputs), [rule, shapes_fit], "on inputs without elements")
