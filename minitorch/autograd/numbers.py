"""The questions that `explain` asks of a rule's numbers: of first derivatives, in all lengths and in float32, and of second."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import Any

import numpy as np

from minitorch.autograd.differences import best
from minitorch.autograd.jacobians import compared
from minitorch.autograd.mistakes import Mistake, mistake
from minitorch.autograd.partial import grad
from minitorch.autograd.questions import error_in_words, rule_runs, shapes_fit
from minitorch.autograd.tensor import wrap
from minitorch.autograd.trial import Source, Trial, array, as_tensor, flat, is_floating


def jacobian_is_right(t: Trial) -> Mistake | None:
    """Whether the rule says of every element what forward's values say."""
    return next((found for i in t.places if (found := compared(t, i)) is not None), None)


def inputs_can_tell(t: Trial) -> Mistake | None:
    """Whether a wrong rule could hide: where the derivative is zero, and is not on other inputs."""
    for i in t.places:
        name, truth = t.names[i], t.jacobians[i][0]
        if not truth.size:
            return mistake("cannot tell", why=f"{name} is empty, or the output is")
        if np.abs(truth).max() > 1e-8:
            continue
        for low, high in (-2.0, 2.0), (0.2, 0.8), (1.5, 4.0):
            others = t.on([t.generator.uniform(low, high, a.shape) if is_floating(a) else a for a in t.inputs])
            with contextlib.suppress(Exception):  # numbers that forward refuses
                if np.abs(np.nan_to_num(others.jacobians[i][0], posinf=0, neginf=0)).max() > 1e-8:
                    return mistake("cannot tell", why=f"on them dy/d{name} is 0 everywhere, and many a wrong rule gives 0")
    return None


def holds_for_other_lengths(t: Trial) -> Mistake | None:
    """Whether the rule holds for twice as many rows, where forward takes them: no length may be written into it."""
    rows = t.inputs[t.places[0]].shape[:1]
    if rows in ((), (0,)):
        return None
    more = [np.concatenate([a, a * 0.9 if is_floating(a) else a]) if np.shape(a)[:1] == rows else a for a in t.inputs]
    other = t.on(more)
    try:
        if not np.isfinite(other.first.values()).all():
            return None
    except Exception:
        return None  # forward refuses them
    found = rule_runs(other) or shapes_fit(other)
    says = found.says if found else ""
    if not found:
        ways = {i: other.generator.uniform(0.5, 1.5, other.inputs[i].shape) for i in other.places}
        g = other.random()
        slope, error = best(lambda step: np.atleast_1d(along(other, ways, step) @ g), np.zeros(1), (0,))
        got = sum((each * ways[i]).sum() for i, each in other.gradients(g).items())
        if np.abs(got - slope) <= 1e-6 * (1 + np.abs(slope)) + 20 * error:
            return None
        says = "the rule is wrong"
    return mistake("other lengths", found.place if found else t.source.answer(), rows=2 * rows[0], before=rows[0], says=says)


def along(t: Trial, ways: dict[int, np.ndarray], step: np.ndarray) -> np.ndarray:
    """Forward's values where all inputs have moved by a step along their ways."""
    return t.on([a + step[0] * ways[i] if i in ways else a for i, a in enumerate(t.inputs)]).run().values()


def keeps_float32(t: Trial) -> Mistake | None:
    """Whether float32 stays float32, in both passes."""
    wholes = any(isinstance(a, np.ndarray) and a.dtype.kind in "iu" for a in t.inputs)
    for kinds in (
        ("fiu", "f") if wholes else ("f",)
    ):  # NumPy makes float64 of float32 and whole numbers, unless they are indices
        trial = t.on([a.astype(np.float32) if is_floating(a, kinds) else a for a in t.inputs])
        trial.parameters = {k: v.astype(np.float32) if is_floating(v) else v for k, v in t.parameters.items()}
        try:
            answers = trial.pull(trial.random().astype(np.float32))[0]
        except (IndexError, TypeError, ValueError):
            continue
        if trial.out.dtype != np.float32:
            return mistake("forward float32", Source(t.forward).answer(), dtype=trial.out.dtype)
        for i in t.places:
            if array(answers[i]).dtype != np.float32 and not isinstance(answers[i], (int, float)):
                return mistake("float32", t.source.answer(i), name=t.names[i], dtype=array(answers[i]).dtype)
        return None
    return None


def differentiates_twice(t: Trial) -> Mistake | None:
    """Whether the rule, recorded, has the right derivative itself."""
    try:
        found = second_derivatives(t)
    except Exception as fault:
        place = t.source.raised(fault) or t.source.answer()
        numpy = re.search(r"\bnp\.[\w.]+", place)
        why = f"{numpy[0]} is NumPy's, which takes no tensors; " if numpy else ""
        return mistake("order 2 fails", place, error=error_in_words(fault), why=why)
    for i, got, truth, error in found:
        wrong = ~(np.abs(got - truth) <= 1e-7 * (1 + np.abs(truth)) + 20 * error)
        if wrong.any() and not any(t.bends(i, int(k)) for k in np.flatnonzero(wrong)):
            index = np.unravel_index(np.argmax(wrong), wrong.shape)
            worst = f"it says {got[index]:.6g} at {[int(n) for n in index]}, its own values say {truth[index]:.6g}"
            return mistake("order 2" if got.any() else "order 2 lost", t.source.answer(i), name=t.names[i], worst=worst)
    return None


def second_derivatives(t: Trial) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Of weighed gradients: (input, derivative by the engine, by the rule's own values, how exactly that is known)."""
    leaves = [wrap(a.copy()).requires_grad_() if i in t.places else as_tensor(a) for i, a in enumerate(t.inputs)]
    moving = [leaves[i] for i in t.places]
    weights = {i: t.generator.uniform(0.5, 1.5, t.inputs[i].shape) for i in t.places}
    gs = [wrap(t.generator.uniform(0.5, 1.5, np.shape(t.first.results[j]))).requires_grad_() for j in t.first.outs]
    result = (t.function or t.op).apply(*leaves, **copy.deepcopy(t.parameters))
    results = result if isinstance(result, tuple) else (result,)
    first = grad([results[j] for j in t.first.outs], moving, gs, create_graph=True, allow_unused=True)
    recorded = [(one, wrap(w)) for one, w in zip(first, weights.values()) if one is not None and one.requires_grad]
    found: Any = [None] * len(moving)
    if recorded:
        found = grad([one for one, _ in recorded], moving, [w for _, w in recorded], allow_unused=True)
    given = flat(tuple(g.array for g in gs), list(range(len(gs))))

    def weighed(trial: Trial) -> np.ndarray:
        grads = trial.gradients(given.astype(np.result_type(*(trial.inputs[i] for i in t.places))))
        return np.array([sum((grads[i] * w).sum() for i, w in weights.items())])

    answers = []
    for i, got in zip(t.places, found):
        truth, error = (each.reshape(t.inputs[i].shape) for each in t.slopes(i, weighed))
        answers.append((i, np.zeros_like(truth) if got is None else array(got), truth, error))
    return answers
