"""`explain`: what is wrong with the backward rule of an operation, in a sentence, and the line to look at.

`QUESTIONS` are asked in turn. Each yields the mistakes that it finds, and only the very first is reported, so that a question
may rely on those before it. `jacobians.py` finds how a Jacobian is wrong, `mistakes.py` has the sentences.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from minitorch.autograd.function import Function
from minitorch.autograd.jacobians import jacobian_is_right
from minitorch.autograd.mistakes import Mistake, found
from minitorch.autograd.op import Op
from minitorch.autograd.partial import grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.trial import Source, Trial, array, at, fitted, is_floating, quiet

Question = Callable[[Trial], Iterator[Mistake]]


def explain(op: type[Op] | type[Function], *inputs: Any, strict: bool = False, **parameters: Any) -> str | None:
    """What is wrong with the backward rule of `op` on these inputs, or None if it is right there.

    `inputs` and `parameters` are what `op.apply` takes. Tensors that require a gradient are differentiated or, if there
    are none, all floating-point arrays, in float64. Keep them small, since every element of the Jacobian is compared.
    `strict` asks for gradients of exactly the inputs' shapes, without the sums over broadcast dimensions that the engine adds.
    Where a wrong rule could give the same as the right one, because the derivative is zero there, the answer begins with
    "these inputs cannot tell".
    """
    found = first_mistake(Trial(op, inputs, parameters, strict), QUESTIONS)
    return None if found is None else str(found)


def first_mistake(t: Trial, asked: Sequence[Question]) -> Mistake | None:
    """The first mistake that one of the questions finds."""
    with quiet():
        return next((mistake for question in asked for mistake in question(t)), None)


def forward(t: Trial) -> Iterator[Mistake]:
    """Does forward run, return an array, leave its inputs alone and give the same twice?"""
    try:
        saved, outs, results = t.first.node.saved, t.first.outs, t.first.results
    except Exception as fault:
        yield from failed(t, t.forward, fault, who="forward", given=f"its inputs are {_shapes(t.inputs)}")
        return
    odd = {"saved is no tuple": not isinstance(saved, tuple)}
    yield from found(odd, t.forward.last("ctx.saved"), what=type(saved).__name__)
    yield from found({"no output": not outs}, t.forward.answer(0), what=type(results[0]).__name__)
    run = t.run()  # a new run: a rule may have changed what the first one holds
    yield from changes(t, t.forward, "forward", zip(t.names, t.inputs), run.inputs)
    yield from found({"not repeatable": not _equal(run.flat(), t.values())}, t.forward.answer(0), who="forward")


def failed(t: Trial, source: Source, fault: Exception, **fields: Any) -> Iterator[Mistake]:
    """What an exception in forward or in the rule says."""
    error = f"{type(fault).__name__}: {fault}"
    place = source.raised(fault)
    kinds = {
        "unwritten": "^NotImplementedError|has no derivative",
        "saved count": "to unpack|out of range" if "saved" in fields and "saved" in place else "$^",
        "no attribute": f"'{t.op.__name__}' object has no",
        "does not fit": "broadcast|cannot be expanded|^ValueError.*(matmul|aligned|mismatch)",
        "fails": "",
    }
    shapes = " ".join(["shapes", *re.findall(r"\([\d, ]+\)", error)])  # NumPy's message has them for a sum, not for a product
    fields |= {"error": error, "shapes": shapes, "attribute": error.split("'")[-2:][0]}
    yield from found({kind: re.search(pattern, error) for kind, pattern in kinds.items()}, place, **fields)


def changes(t: Trial, source: Source, who: str, before: Iterable[tuple[str, Any]], after: Sequence[Any]) -> Iterator[Mistake]:
    """Has one of these arrays, given by name, changed? The line is the one that fails when they are read-only."""
    for what in (what for (what, old), new in zip(before, after) if isinstance(old, np.ndarray) and not _equal(old, new)):
        place, locked = source.last("saved = ", "def |lambda"), t.on(t.inputs)
        locked.locked = True
        try:
            locked.pull(t.random())
        except Exception as fault:
            place = source.raised(fault)
        yield from found({"changes": True}, place, who=who, what=what)


def rule(t: Trial) -> Iterator[Mistake]:
    """Does the rule run, and return one gradient for each input?"""
    g, saved = t.out.shape, _shapes(t.first.node.saved)
    try:
        answers, _ = t.pull(t.random())
    except Exception as fault:
        yield from failed(t, t.rule, fault, who="backward", given=f"g is {g}, saved {saved}", saved=saved)
        return
    while t.function and len(answers) > len(t.inputs) and answers[-1] is None:
        answers = answers[:-1]
    kinds = {
        "returned None": len(answers) == 1 and answers[0] is None,
        "no array": isinstance(answers[0], (list, dict)),
        "count": len(answers) != len(t.inputs),
    }
    what = type(answers[0]).__name__
    yield from found(kinds, t.rule.answer(), of="", what=what, count=len(answers), wanted=len(t.inputs))
    for i in t.places:
        known, name = isinstance(answers[i], (np.ndarray, np.generic, float, int, Tensor)), t.names[i]
        dtype = array(answers[i] if known else 0.0).dtype
        kinds = {
            "returned None": answers[i] is None,
            "no array": not known,
            "dtype": dtype.kind != "f" and not isinstance(answers[i], int),
            "precision": dtype.kind == "f" and dtype.itemsize < 8 and t.out.dtype == np.float64,
        }
        what = f"the gradient of {name}" if known else type(answers[i]).__name__
        fields = {"of": f" for {name}, which has a gradient", "name": name, "what": what, "dtype": dtype, "given": "float64"}
        yield from found(kinds, t.rule.answer(i), y=t.y, **fields)


def leaves_alone(t: Trial) -> Iterator[Mistake]:
    """Does the rule leave g, the inputs, and what was saved as they are?"""
    run, g = t.run(), t.random()
    saved = [(f"saved array {k}", a) for k, a in enumerate(copy.deepcopy(run.node.saved))]
    _, given = t.pull(g, run)
    inputs = [(f"the input {name}", a) for name, a in zip(t.names, t.inputs)]
    yield from changes(t, t.rule, "your rule", [("g", g), *inputs, *saved], [run.flat(given), *run.inputs, *run.node.saved])


def repeats(t: Trial) -> Iterator[Mistake]:
    """Does the rule answer the same again, also after another forward?"""
    g, run = t.random(), t.run()
    answers = [array(a).copy() for a in t.pull(g, run)[0]]
    again = not all(map(_equal, answers, t.pull(g, run)[0]))
    yield from found({"not repeatable": again}, t.rule.answer(), who="your rule")
    with contextlib.suppress(Exception):  # numbers that forward refuses
        t.on([np.flip(a) * 0.75 if i in t.places else a for i, a in enumerate(t.inputs)]).run()
    yield from found({"outside ctx": not all(map(_equal, answers, t.pull(g, run)[0]))}, t.rule.answer())


def shapes_fit(t: Trial) -> Iterator[Mistake]:
    """Has each gradient the shape of its input, or, unless `strict`, one that the engine sums to it?"""
    answers = t.pull(t.random())[0]
    shapes = {i: (array(answers[i]).shape, t.inputs[i].shape) for i in t.places}
    for i, (has, shape) in shapes.items():
        fits = fitted(array(answers[i]), shape) is not None
        kinds = {
            "shapes swapped": not fits and sorted(a for a, _ in shapes.values()) == sorted(b for _, b in shapes.values()),
            "shape transposed": has == shape[::-1],
            "axis of length one": [n for n in has if n != 1] == [n for n in shape if n != 1],
            "not summed": fits,
            "summed wrongly": len(has) < t.out.ndim and set(has) <= {1, *t.out.shape},
            "shape": True,
        }
        if has != shape and (t.strict or not fits):
            place = t.rule.answer(None if kinds["shapes swapped"] else i)
            yield from found(kinds, place, name=t.names[i], got=has, shape=shape)


def multiplies_by_g(t: Trial) -> Iterator[Mistake]:
    """Is the rule linear in g?"""
    g, h = t.random(), t.random()
    one, two, none, twice, minus, both = (t.gradients(x) for x in (g, h, 0 * g, 2 * g, -g, g + h))
    for i in (i for i in t.places if t.inputs[i].size):
        scale = 1e-9 * (1 + max(np.abs(one[i]).max(), np.abs(two[i]).max()))
        still = np.any(np.abs(none[i]) > scale)
        kinds = {
            "ignores g": still and not np.any(np.abs(none[i] - one[i]) > scale),
            "adds to g": still,
            "g squared": np.any(np.abs(one[i]) > scale) and not np.any(np.abs(twice[i] - 4 * one[i]) > scale),
        }
        k = np.argmax(np.abs(np.nan_to_num(none[i])))
        fields = {"name": t.names[i], "value": none[i].flat[k], "at": at(k, none[i].shape, " at "), "y": t.y}
        yield from found(kinds, t.rule.answer(i), **fields)
        sums = {"twice the g does not give twice": twice[i] - 2 * one[i], "minus g does not give minus": minus[i] + one[i]}
        for how, apart in (sums | {"g + h does not give the sum of": both[i] - one[i] - two[i]}).items():
            yield from found({"not linear": np.any(np.abs(apart) > scale)}, t.rule.answer(i), how=how, **fields)


def inputs_can_tell(t: Trial) -> Iterator[Mistake]:
    """Would a wrong rule show? Not where the derivative is zero on these inputs and not zero on others."""
    for i in t.places:
        name, truth = t.names[i], t.jacobians[i][0]
        yield from found({"cannot tell": not truth.size}, why=f"{name} is empty, or the output is")
        for low, high in ((-2.0, 2.0), (0.2, 0.8), (1.5, 4.0)) if np.abs(truth).max() < 1e-8 else ():
            others = t.on([t.generator.uniform(low, high, a.shape) if is_floating(a) else a for a in t.inputs])
            with contextlib.suppress(Exception):  # numbers that forward refuses
                slope = np.nan_to_num(others.jacobians[i][0], posinf=0, neginf=0)
                why = f"on them d{t.y}/d{name} is 0 everywhere, as many wrong rules say too"
                yield from found({"cannot tell": np.abs(slope).max() > 1e-8}, why=why)


def elsewhere(
    other: Trial, asked: Sequence[Question], where: str, shape: Any = None, kind: str = "other lengths"
) -> Iterator[Mistake]:
    """What the questions find on other inputs, if forward takes them and gives finite numbers (in that shape)."""
    try:
        fits = np.isfinite(other.first.flat()).all() and shape in (None, other.out.shape)
    except Exception:
        return  # forward refuses them
    wrong = first_mistake(other, asked) if fits else None
    if wrong and wrong.kind != "cannot tell":
        yield from found({kind: True}, wrong.place, where=where, says=wrong.says)


def holds_for_other_numbers(t: Trial) -> Iterator[Mistake]:
    """Does the rule hold for other numbers and signs, or is it right only on these, as where two inputs are equal?"""
    words = {1: "other numbers", -1: "numbers of the other sign", 5: "larger numbers", -5: "larger numbers of the other sign"}
    for factor, said in words.items():  # the larger ones may lie beyond a limit, as of a clamp
        pairs = [(i in t.places, a) for i, a in enumerate(t.inputs)]
        other = t.on([factor * t.generator.uniform(0.6, 0.9, a.shape) * a if moves else a for moves, a in pairs])
        other.tolerance = t.tolerance if abs(factor) == 1 else 1e-4  # some derivatives are tiny there
        yield from elsewhere(other, RULE, f"with {said}", t.out.shape, "other numbers")


def holds_for_other_lengths(t: Trial) -> Iterator[Mistake]:
    """Does the rule hold for twice as many rows or columns, or is a length written into it?"""
    rows = t.inputs[t.places[0]].shape[:1]
    same = [i for i, a in enumerate(t.inputs) if np.shape(a)[:1] == rows]
    ways: list[tuple[tuple[int, ...], list[int]]] = [((2,), same)]
    if t.square:  # columns, too, and of several matrices one alone
        alone = [[i] for i in same if len(same) > 1]
        ways = [((2, 2), same), *((times, some) for some in (same, *alone) for times in ((2,), (1, 2)))]
    for times, which in ways if any(rows) else ():
        more = [np.tile(a, (times + (1,) * a.ndim)[: a.ndim]) if i in which else a for i, a in enumerate(t.inputs)]
        more = [t.generator.uniform(0.6, 1.0, a.shape) * a if is_floating(a) else a for a in more]
        other, where = t.on(more), f"with {2 * rows[0]} {'columns' if times[0] == 1 else 'rows'} where there were {rows[0]}"
        if t.square and times != (2, 2) and first_mistake(other, [forward, rule, shapes_fit]):
            continue  # it is for square matrices only, as a trace, or all must have as many rows
        yield from elsewhere(other, [rule, shapes_fit, jacobian_is_right], where)


def keeps_float32(t: Trial) -> Iterator[Mistake]:
    """Does float32 stay float32, in both passes?"""
    single = {k: v.astype(np.float32) if is_floating(v) else v for k, v in t.parameters.items()}
    for kinds in ("fiu", "f"):  # NumPy makes float64 of float32 and whole numbers, unless they are indices
        trial = t.on([a.astype(np.float32) if is_floating(a, kinds) else a for a in t.inputs], **single)
        with contextlib.suppress(IndexError, TypeError, ValueError):
            answers = trial.pull(trial.random().astype(np.float32))[0]
            made = [("forward's answer", trial.out, t.forward.answer(0))]
            made += [(f"the gradient of {t.names[i]}", answers[i], t.rule.answer(i)) for i in t.places]
            for what, value, place in made:
                off = array(value).dtype != np.float32 and not isinstance(value, (int, float))
                yield from found({"precision": off}, place, what=what, dtype=array(value).dtype, given="float32")
            return


def differentiates_twice(t: Trial) -> Iterator[Mistake]:
    """Does the rule, recorded, have the right derivative itself? That of its values, in random directions g and v."""
    leaves = [wrap(a.copy()) if isinstance(a, np.ndarray) else a for a in t.inputs]
    moving, g = [leaves[i].requires_grad_() for i in t.places], np.abs(t.random())
    ways = {i: t.generator.uniform(0.5, 1.5, t.inputs[i].shape) for i in t.places}

    def values(trial: Trial) -> np.ndarray:
        grads = trial.gradients(g.astype(np.result_type(*(trial.inputs[i] for i in t.places))))
        return np.array([sum((grads[i] * way).sum() for i, way in ways.items())])

    try:
        y = (t.function or t.op).apply(*leaves, **copy.deepcopy(t.parameters))
        outs = [(y if isinstance(y, tuple) else (y,))[j] for j in t.first.outs]
        parts = np.split(g, np.cumsum([out.numel() for out in outs]))
        gs = [wrap(part.reshape(out.shape)).requires_grad_() for part, out in zip(parts, outs)]
        first: Any = grad(outs, moving, gs, create_graph=True, materialize_grads=True)
        seconds = grad([((one + x * 0) * wrap(way)).sum() for one, x, way in zip(first, moving, ways.values())], moving)
    except Exception as fault:
        place, fails = t.rule.raised(fault) or t.rule.answer(), f"{type(fault).__name__}: {fault}"
        numpy = re.search(r"\bnp\.[\w.]+", place)
        why = f"{numpy[0]} is NumPy's, which takes no tensors; " if numpy and "no attribute" not in fails else ""
        yield from found({"order 2 kept": "which forward kept" in fails, "order 2 fails": True}, place, error=fails, why=why)
        return
    for i, second in zip(t.places, seconds):
        got, (truth, error) = array(second).ravel(), map(np.ravel, t.slopes(i, values))
        off = np.where(np.abs(got - truth) <= 1e-7 * (1 + np.abs(truth)) + 20 * error, 0, np.abs(got - truth))
        k, wrong = np.argmax(off) if off.size else 0, np.flatnonzero(off)
        if wrong.size and not t.bends(i, wrong):
            worst = f"it says {got[k]:.6g}{at(k, t.inputs[i].shape, ' at ')}, its own values say {truth[k]:.6g}"
            yield from found({"order 2": got.any(), "order 2 lost": True}, t.rule.answer(i), name=t.names[i], worst=worst)
        t.note(2, got, truth)


RULE: Final[list[Question]] = [rule, shapes_fit, multiplies_by_g, jacobian_is_right]
OTHER_INPUTS: Final[list[Question]] = [inputs_can_tell, holds_for_other_numbers, holds_for_other_lengths]
QUESTIONS: Final[list[Question]] = [
    forward,
    rule,
    leaves_alone,
    repeats,
    *RULE[1:],
    *OTHER_INPUTS,
    keeps_float32,
    differentiates_twice,
]


def _equal(a: Any, b: Any) -> bool:
    return (a is None and b is None) or np.array_equal(array(a), array(b), equal_nan=array(a).dtype.kind == "f")


def _shapes(values: Any) -> str:
    return ", ".join(str(v.shape) if isinstance(v, np.ndarray) else repr(v) for v in values) or "nothing (ctx.saved is empty)"
