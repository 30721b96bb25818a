"""`explain`: what is wrong with the backward rule of an operation, in a sentence, and the line to look at.

The questions are asked in the order of `QUESTIONS`, and the first that finds something answers: whether the rule runs, what it
returns, whether it leaves its arguments alone, whether it is linear in g, whether its Jacobian is that of forward's values
(`jacobians.py` tells in which way it is not), and whether it can be differentiated again.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.autograd.backward import grad
from minitorch.autograd.differences import best, central, complex_step
from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import Switch, mode
from minitorch.autograd.jacobians import compared
from minitorch.autograd.mistakes import Mistake, mistake
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.trial import Source, Trial, array, as_tensor, fitted, flat, is_floating, quiet
from minitorch.autograd.watch import Watch


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
    trial = Trial(op, inputs, parameters, strict)
    with quiet():
        found = (question(trial) for question in QUESTIONS[: len(QUESTIONS) - 2 + orders])
        return next((each for each in found if each is not None), None)


class Calls(Watch):
    """Remembers the operations that are run: the operation, its inputs, and its parameters."""

    name = "gradcheck"

    def __init__(self) -> None:
        self.found: list[tuple[Any, list, dict]] = []

    def forward(self, node: Any, inputs: list, parameters: dict, raw: bool) -> Any:
        """Run it; what a rule or a user's `Function` runs within is not a call of its own."""
        if not raw and mode.recording:
            leaves = [
                wrap(a).requires_grad_() if edge is not None else a
                for a, edge in zip(inputs, node.edges or [None] * len(inputs))
            ]
            function = getattr(node, "function", None)
            self.found.append((function or type(node), leaves, {} if function else parameters))
        return node.forward(*inputs, **parameters)


def calls(func: Callable, inputs: list) -> list[tuple[Any, list, dict]]:
    """The operations that `func` runs on these inputs; none in a thread that is watched already."""
    watch = Calls()
    if mode.watch is None:
        with Switch(watch, "watch"):
            func(*inputs)
    return watch.found


def is_analytic(op: Any, inputs: list, parameters: dict) -> bool:
    """Whether complex steps of all inputs at once agree with real ones."""
    trial = Trial(op, tuple(inputs), parameters)
    ways = {i: trial.generator.uniform(0.5, 1.5, trial.inputs[i].shape) for i in trial.places}

    def values(step: np.ndarray) -> np.ndarray:
        return along(trial, ways, step)

    try:
        with quiet():
            exact, real = complex_step(values, np.zeros(1), (0,))[0], central(values, np.zeros(1), (0,), 1e-6)[0]
    except Exception:
        return False
    return bool(np.allclose(exact, real, rtol=1e-4, atol=1e-4, equal_nan=True))


# ---- the questions, the earliest first -----------------------------------------------------------------------------------


def forward_runs(t: Trial) -> Mistake | None:
    """Whether forward runs and returns an array."""
    source = Source(t.forward)
    try:
        saved, fault = t.first.node.saved, None
    except Exception as reason:
        saved, fault = getattr(reason, "saved", ()), reason
    if isinstance(fault, AttributeError) and "save_for_backward" in str(fault):
        return mistake("save_for_backward", source.raised(fault))
    if not isinstance(saved, tuple):
        return mistake("saved is no tuple", source.holding("ctx.saved"), what=_a(saved))
    if fault is not None:
        return mistake("forward fails", source.raised(fault), shapes=_shapes(t.inputs), error=_error(fault))
    if not t.first.outs:
        return mistake("no output", source.answer(), what=" and ".join(map(_a, t.first.results)))
    return None


def forward_keeps(t: Trial) -> Mistake | None:
    """Whether forward leaves its inputs alone and gives the same twice."""
    run = t.run()  # of its own: a rule may have changed what the first one holds
    for i, (a, b) in enumerate(zip(run.inputs, t.inputs)):
        if isinstance(b, np.ndarray) and not _equal(a, b):
            return mistake("forward changes input", Source(t.forward).changing((t.names[i],)), name=t.names[i])
    return None if _equal(run.values(), t.run().values()) else mistake("forward not repeatable", Source(t.forward).answer())


def rule_runs(t: Trial) -> Mistake | None:
    """Whether the rule runs at all."""
    try:
        t.pull(t.random())
    except Exception as fault:
        text, place, node = str(fault), t.source.raised(fault), t.first.node
        given = {"g": t.out.shape, "saved": _shapes(node.saved)}
        if isinstance(fault, NotImplementedError) or t.op.backward is Op.backward:
            return mistake("unwritten", place)
        if "to unpack" in text or "out of range" in text:
            kind = "saved count" if node.saved else "nothing saved"
            return mistake(kind, place, count=_plural(len(node.saved), "array"), error=text, saved=given["saved"])
        if isinstance(fault, AttributeError) and ("saved_tensors" in text or "save_for_backward" in text):
            return mistake("save_for_backward", place)
        if isinstance(fault, AttributeError) and f"'{type(node).__name__}' object has no" in text:
            return mistake("no attribute", place, error="ctx." + re.findall(r"'(\w+)'", text)[-1])
        shapes = re.findall(r"\([\d, ]*\)", text) if "broadcast" in text else []
        if len(shapes) > 1:
            return mistake("shapes do not fit", place, a=shapes[0], b=shapes[1], why=_dropped(*shapes[:2]), **given)
        if isinstance(fault, ValueError) and ("matmul" in text or "aligned" in text or "mismatch" in text):
            return mistake("product does not fit", place, why=_squared(t), **given)
        return mistake("backward fails", place, error=_error(fault), **given)
    return None


def returned(t: Trial) -> Mistake | None:
    """Whether the rule returns one gradient for each input."""
    answers, _ = t.pull(t.random())
    while t.function and len(answers) > len(t.inputs) and answers[-1] is None:
        answers = answers[:-1]
    if len(answers) == 1 and answers[0] is None:
        return mistake("returned None", t.source.answer())
    if isinstance(answers[0], list):
        return mistake("list", t.source.answer())
    if len(answers) != len(t.inputs):
        return mistake(
            "count", t.source.answer(), count=_plural(len(answers), "gradient"), wanted=_plural(len(t.inputs), "input")
        )
    for i in t.places:
        answer, place, name = answers[i], t.source.answer(i), t.names[i]
        if answer is None:
            return mistake("returned None for one", place, name=name)
        if not isinstance(answer, (np.ndarray, np.generic, float, int, Tensor)):
            return mistake("no array", place, name=name, what=_a(answer))
        if array(answer).dtype.kind != "f" and not isinstance(answer, int):
            return mistake("dtype", place, name=name, dtype=array(answer).dtype)
    return None


def leaves_alone(t: Trial) -> Mistake | None:
    """Whether the rule changes g, what was saved, or the inputs."""
    run, g = t.run(), t.random()
    before = copy.deepcopy(run.node.saved)
    _, given = t.pull(g, run)
    if not _equal(flat(given, run.outs), g):
        return mistake("changes g", t.source.changing(t.source.g))
    for i in t.places:
        if not _equal(run.inputs[i], t.inputs[i]):
            return mistake("changes input", t.source.changing(), name=t.names[i])
    for k, (old, new) in enumerate(zip(before, run.node.saved)):
        if isinstance(old, np.ndarray) and not _equal(old, new):
            return mistake("changes saved", t.source.changing(), k=k)
    return None


def repeats(t: Trial) -> Mistake | None:
    """Whether the rule answers the same again, also after another forward."""
    g, run = t.random(), t.run()
    answers = t.pull(g, run)[0]
    if not all(map(_equal, answers, t.pull(g, run)[0])):
        return mistake("not repeatable", t.source.answer())
    with contextlib.suppress(Exception):  # numbers that forward refuses
        t.on([np.flip(a) * 0.75 if i in t.places else a for i, a in enumerate(t.inputs)]).run()
    return None if all(map(_equal, answers, t.pull(g, run)[0])) else mistake("outside ctx", t.source.answer())


def shapes_fit(t: Trial) -> Mistake | None:
    """Whether each gradient has the shape of its input, or, unless `strict`, one that the engine sums to it."""
    answers = t.pull(t.random())[0]
    got = {i: array(answers[i]).shape for i in t.places}
    wanted = {i: t.inputs[i].shape for i in t.places}
    fits = {i: fitted(array(answers[i]), wanted[i]) is not None for i in t.places}
    for i in t.places:
        if got[i] == wanted[i] or (fits[i] and not t.strict):
            continue
        name, place, out = t.names[i], t.source.answer(i), t.out.shape
        if not fits[i] and sorted(got.values()) == sorted(wanted.values()):
            kind = "shapes swapped"
        elif got[i] == wanted[i][::-1]:
            kind = "shape transposed"
        elif fits[i]:
            kind = "kept axis" if array(answers[i]).size == t.inputs[i].size else "not summed"
        elif [n for n in got[i] if n != 1] == [n for n in wanted[i] if n != 1]:
            kind = "dropped axis"
        elif len(got[i]) < len(wanted[i]) or (_is_summed(out, got[i]) and _is_summed(out, wanted[i])):
            kind = "summed wrongly"
        else:
            kind = "shape"
        return mistake(kind, place, name=name, got=got[i], shape=wanted[i])
    return None


def multiplies_by_g(t: Trial) -> Mistake | None:
    """Whether the rule is linear in g."""
    g, other = t.random(), t.random()
    one, two, double, minus, both, none = (t.gradients(x) for x in (g, other, 2 * g, -g, g + other, 0 * g))
    for i in t.places:
        scale = 1e-9 * (1 + np.abs(one[i]).max(initial=0.0) + np.abs(two[i]).max(initial=0.0))

        def differ(a: np.ndarray, b: np.ndarray, scale: float = scale) -> bool:
            return bool((np.abs(a - b) > scale).any())

        kind = ""
        if differ(none[i], 0 * one[i]):
            kind = "adds to g" if differ(none[i], one[i]) else "ignores g"
        elif differ(double[i], 2 * one[i]):
            kind = "not linear" if differ(double[i], 4 * one[i]) else "g squared"
        elif differ(minus[i], -one[i]):
            kind = "sign of g"
        elif differ(both[i], one[i] + two[i]):
            kind = "g not summed"
        if kind:
            index = np.unravel_index(np.argmax(np.abs(np.nan_to_num(none[i]))), none[i].shape)
            at = [int(n) for n in index]
            return mistake(kind, t.source.answer(i), name=t.names[i], value=f"{none[i][index]:.6g}", at=at)
    return None


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
    single = {k: v.astype(np.float32) if getattr(v, "dtype", None) == np.float64 else v for k, v in t.parameters.items()}
    trial = t.on([a.astype(np.float32) if is_floating(a) else a for a in t.inputs])
    trial.parameters = single
    if trial.out.dtype != np.float32:
        return mistake("forward float32", Source(t.forward).answer(), dtype=trial.out.dtype)
    answers = trial.pull(trial.random().astype(np.float32))[0]
    for i in t.places:
        if array(answers[i]).dtype != np.float32 and not isinstance(answers[i], (int, float)):
            return mistake("float32", t.source.answer(i), name=t.names[i], dtype=array(answers[i]).dtype)
    return None


def differentiates_twice(t: Trial) -> Mistake | None:
    """Whether the rule, recorded, has the right derivative itself."""
    try:
        found = second_derivatives(t)
    except Exception as fault:
        place = t.source.raised(fault) or t.source.answer()
        numpy = re.search(r"\bnp\.[\w.]+", place)
        why = f"{numpy[0]} is NumPy's, which takes no tensors; " if numpy else ""
        return mistake("order 2 fails", place, error=_error(fault), why=why)
    for i, got, truth, error in found:
        wrong = ~(np.abs(got - truth) <= 1e-7 * (1 + np.abs(truth)) + 20 * error)
        if wrong.any() and not any(t.bends(i, k) for k in np.flatnonzero(wrong)):
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


QUESTIONS: list[Callable[[Trial], Mistake | None]] = [
    forward_runs,
    forward_keeps,
    rule_runs,
    returned,
    leaves_alone,
    repeats,
    shapes_fit,
    multiplies_by_g,
    jacobian_is_right,
    inputs_can_tell,
    holds_for_other_lengths,
    keeps_float32,
    differentiates_twice,
]


# ---- words ---------------------------------------------------------------------------------------------------------------


def _squared(t: Trial) -> str:
    """What the rule does wrong on square matrices, on which every product fits."""
    squares = [t.generator.uniform(0.5, 2.0, (3,) * a.ndim) if i in t.places else a for i, a in enumerate(t.inputs)]
    if any(a.shape != (3,) * a.ndim for i, a in enumerate(t.inputs) if i in t.places):
        with contextlib.suppress(Exception):
            found = diagnose(t.function or t.op, *squares, strict=t.strict, orders=1, **t.parameters)
            if found and found.kind not in ("backward fails", "cannot tell"):
                return f"on square matrices, where it would fit: {found.says}"
    return "is a transposition missing, or are the factors in the wrong order?"


def _dropped(*shapes: str) -> str:
    a, b = (tuple(int(n) for n in re.findall(r"\d+", shape)) for shape in shapes)
    long, short = max(a, b, key=len), min(a, b, key=len)
    if len(long) == len(short) + 1 and any(long[:k] + long[k + 1 :] == short for k in range(len(long))):
        return "a sum drops the axis that it adds over, unless it keeps it as one of length 1"
    return "is a transposition or a sum missing?"


def _is_summed(whole: tuple[int, ...], part: tuple[int, ...]) -> bool:
    """Whether `part` is the shape of a sum over some axes of an array of shape `whole`."""
    rest = iter(whole)
    return len(part) < len(whole) and all(n in rest for n in part)


def _equal(a: Any, b: Any) -> bool:
    return (a is None and b is None) or np.array_equal(array(a), array(b), equal_nan=array(a).dtype.kind == "f")


def _shapes(values: Any) -> str:
    return ", ".join(str(v.shape) if isinstance(v, np.ndarray) else repr(v) for v in values) or "nothing"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _a(value: Any) -> str:
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _error(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
