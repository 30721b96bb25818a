"""`explain`: what is wrong with the backward rule of an operation, in a sentence, and the line to look at.

The questions are asked in the order of `QUESTIONS`, and the first that finds something answers: whether the rule runs, what it
returns, whether it leaves its arguments alone and is linear in g (`questions.py`), whether its Jacobian is that of forward's
values (`numbers.py`; `jacobians.py` tells in which way it is not), and whether it can be differentiated again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.autograd import numbers, questions
from minitorch.autograd.differences import central, complex_step
from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import Switch, mode
from minitorch.autograd.mistakes import Mistake
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import wrap
from minitorch.autograd.trial import Trial, quiet
from minitorch.autograd.watch import Watch

Question = Callable[[Trial], "Mistake | None"]
QUESTIONS: list[Question] = [
    questions.forward_runs,
    questions.forward_keeps,
    questions.rule_runs,
    questions.returned,
    questions.leaves_alone,
    questions.repeats,
    questions.shapes_fit,
    questions.multiplies_by_g,
    numbers.jacobian_is_right,
    numbers.inputs_can_tell,
    numbers.holds_for_other_lengths,
    numbers.keeps_float32,
    numbers.differentiates_twice,
]


def explain(op: type[Op] | type[Function], *inputs: Any, strict: bool = False, **parameters: Any) -> str | None:
    """What is wrong with the backward rule of `op` on these inputs, or None if it is right there.

    `inputs` and `parameters` are what `op.apply` takes. Those tensors that require a gradient are differentiated, or, if none
    does, all floating-point arrays; in float64, and they should be small, since every element of the Jacobian is compared.
    `strict` asks for gradients of exactly the inputs' shapes, without the sums over broadcast dimensions that the engine adds.
    Where a wrong rule could give the same as the right one, because the derivative is zero there, the answer begins with
    "these inputs cannot tell".
    """
    found = diagnose(op, *inputs, strict=strict, **parameters)
    return None if found is None else str(found)


def diagnose(
    op: type[Op] | type[Function], *inputs: Any, strict: bool = False, orders: int = 2, **parameters: Any
) -> Mistake | None:
    """What `explain` puts into words; with `orders=1` second derivatives are left out."""
    return first_mistake(Trial(op, inputs, parameters, strict), QUESTIONS[: len(QUESTIONS) - 2 + orders])


def first_mistake(t: Trial, asked: Sequence[Question]) -> Mistake | None:
    """The answer of the first of the questions that finds a mistake."""
    with quiet():
        answers = (question(t) for question in asked)
        found = next((each for each in answers if each is not None), None)
        return found._replace(hint=_squared(t)) if found and found.kind == "product does not fit" else found


def _squared(t: Trial) -> str:
    """What the rule does wrong on square matrices, on which every product fits."""
    squares = [t.generator.uniform(0.5, 2.0, (3,) * a.ndim) if i in t.places else a for i, a in enumerate(t.inputs)]
    if any(a.shape != (3,) * a.ndim for i, a in enumerate(t.inputs) if i in t.places):
        with contextlib.suppress(Exception):
            found = diagnose(t.function or t.op, *squares, strict=t.strict, orders=1, **t.parameters)
            if found and found.kind not in ("backward fails", "cannot tell"):
                return f"on square matrices, where it would fit: {found.says}"
    return questions.FITS


# ---- for gradcheck --------------------------------------------------------------------------------------------------------


class Calls(Watch):
    """Remembers the operations that are run: the operation, its inputs, and its parameters."""

    name = "gradcheck"

    def __init__(self) -> None:
        self.found: list[tuple[Any, list[Any], dict[Any, Any]]] = []

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run it; what a rule or a user's `Function` runs within is not a call of its own."""
        if not raw and mode.recording:
            leaves = [
                wrap(a).requires_grad_() if edge is not None else a
                for a, edge in zip(inputs, node.edges or [None] * len(inputs))
            ]
            function = getattr(node, "function", None)
            self.found.append((function or type(node), leaves, {} if function else parameters))
        return node.forward(*inputs, **parameters)


def calls(func: Callable[..., Any], inputs: list[Any]) -> list[tuple[Any, Any, Any]]:
    """The operations that `func` runs on these inputs; none in a thread that is watched already."""
    watch = Calls()
    if mode.watch is None:
        with Switch(watch, "watch"):
            func(*inputs)
    return watch.found


def is_analytic(op: Any, inputs: list[Any], parameters: dict[Any, Any]) -> bool:
    """Whether complex steps of all inputs at once agree with real ones."""
    trial = Trial(op, tuple(inputs), parameters)
    ways = {i: trial.generator.uniform(0.5, 1.5, trial.inputs[i].shape) for i in trial.places}

    def values(step: np.ndarray) -> np.ndarray:
        return numbers.along(trial, ways, step)

    try:
        with quiet():
            exact, real = complex_step(values, np.zeros(1), (0,))[0], central(values, np.zeros(1), (0,), 1e-6)[0]
    except Exception:
        return False
    return bool(np.allclose(exact, real, rtol=1e-4, atol=1e-4, equal_nan=True))
