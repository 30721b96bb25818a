"""`explain`: what is wrong with the backward rule of an operation, in a sentence, and the line to look at.

`QUESTIONS` are asked in turn. Each yields the mistakes that it finds, and only the very first is reported, so that a question
may rely on those before it. `jacobians.py` finds how a Jacobian is wrong, `mistakes.py` has the sentences.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from minitorch.autograd.function import Function
from minitorch.autograd.jacobians import compared
from minitorch.autograd.mistakes import Mistake, found
from minitorch.autograd.op import Op
from minitorch.autograd.partial import grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.trial import Trial, array, at, fitted, is_floating, quiet

Question = Callable[[Trial], Iterator[Mistake]]


def explain(op: type[Op] | type[Function], *inputs: Any, strict: bool = False, **parameters: Any) -> str | None:
    """What is wrong with the backward rule of `op` on these inputs, or None if it is right there.

    `inputs` and `parameters` are what `op.apply` takes. Tensors that require a gradient are differentiated or, if there
    are none, all floating-point arrays, in float64. Keep them small, since every element of the Jacobian is compared.
    `strict` asks for gradients of exactly the inputs' shapes, without the sums over broadcast dimensions that the engine adds.
    Where a wrong rule could give the same as the right one, because the derivative is zero there, the answer begins with
    "these inputs cannot tell".
    """
    found = diagnose(op, *inputs, strict=strict, **parameters)
    return None if found is None else str(found)


def diagnose(op: Any, *inputs: Any, strict: bool = False, orders: int = 2, **parameters: Any) -> Mistake | None:
    """What `explain` puts into words; with `orders=1` second derivatives are left out."""
    return first_mistake(Trial(op, inputs, parameters, strict), QUESTIONS[: len(QUESTIONS) - 2 + orders])


def first_mistake(t: Trial, asked: Sequence[Question]) -> Mistake | None:
    """The first mistake that one of the questions finds."""
    with quiet():
        return next((mistake for question in asked for mistake in question(t)), None)


def forward(t: Trial) -> Iterator[Mistake]:
    """Does forward run, return an array, leave its inputs alone and give the same twice?"""
    try:
        run = t.first
    except Exception as fault:
        ours = isinstance(fault, AttributeError) and "save_for_backward" in str(fault)
        kinds = {"save_for_backward": ours, "forward fails": True}
        yield from found(kinds, t.forward.raised(fault), shapes=_shapes(t.inputs), error=_error(fault))
        return
    saved = run.node.saved
    yield from found({"saved is no tuple": not isinstance(saved, tuple)}, t.forward.changing(("ctx",)), what=_a(saved))
    yield from found({"no output": not run.outs}, t.forward.answer(), what=" and ".join(map(_a, run.results)))
    run = t.run()  # a new run: a rule may have changed what the first one holds
    for name, given, now in zip(t.names, t.inputs, run.inputs):
        changed = isinstance(given, np.ndarray) and not _equal(given, now)
        yield from found({"forward changes input": changed}, t.forward.changing((name,)), name=name)
    yield from found({"forward not repeatable": not _equal(run.flat(), t.values())}, t.forward.answer())


def rule(t: Trial) -> Iterator[Mistake]:
    """Does the rule run, and return one gradient for each input?"""
    try:
        answers, _ = t.pull(t.random())
    except Exception as fault:
        text, saved, unset = str(fault), t.first.node.saved, isinstance(fault, AttributeError)
        counts, shapes = "to unpack" in text or "out of range" in text, re.findall(r"\([\d, ]*\)", text)[:2]
        product = isinstance(fault, ValueError) and re.search("matmul|aligned|mismatch", text)
        kinds = {
            "unwritten": isinstance(fault, NotImplementedError) or t.op.backward is Op.backward,
            "nothing saved": counts and not saved,
            "saved count": counts,
            "save_for_backward": unset and ("saved_tensors" in text or "save_for_backward" in text),
            "no attribute": unset and f"'{t.op.__name__}' object has no" in text,
            "shapes do not fit": "broadcast" in text and len(shapes) > 1,
            "product does not fit": product,
            "backward fails": True,
        }
        fields = {"g": t.out.shape, "saved": _shapes(saved), "count": _plural(saved, "array"), "shapes": " and ".join(shapes)}
        fields |= {"error": _error(fault), "name": text.split("'")[-2:][0], "why": _on_squares(t) if product else ""}
        yield from found(kinds, t.rule.raised(fault), **fields)
        return
    while t.function and len(answers) > len(t.inputs) and answers[-1] is None:
        answers = answers[:-1]
    kinds = {
        "returned None": len(answers) == 1 and answers[0] is None,
        "list": isinstance(answers[0], list),
        "count": len(answers) != len(t.inputs),
    }
    yield from found(kinds, t.rule.answer(), count=_plural(answers, "gradient"), wanted=_plural(t.inputs, "input"))
    for i in t.places:
        known = isinstance(answers[i], (np.ndarray, np.generic, float, int, Tensor))
        dtype = array(answers[i] if known else 0.0).dtype
        kinds = {
            "returned None for one": answers[i] is None,
            "no array": not known,
            "dtype": dtype.kind != "f" and not isinstance(answers[i], int),
            "precision": dtype.kind == "f" and dtype.itemsize < 8 and t.out.dtype == np.float64,
        }
        yield from found(kinds, t.rule.answer(i), name=t.names[i], what=_a(answers[i]), dtype=dtype)


def _on_squares(t: Trial) -> str:
    """What the rule does wrong on square matrices, on which every product fits."""
    squares = [t.generator.uniform(0.5, 2.0, (3,) * a.ndim) if i in t.places else a for i, a in enumerate(t.inputs)]
    if any(t.inputs[i].shape != squares[i].shape for i in t.places):
        with contextlib.suppress(Exception):
            wrong = first_mistake(t.on(squares), RULE)
            if wrong and wrong.kind not in ("backward fails", "cannot tell"):
                return f"on square matrices, where it would fit: {wrong.says}"
    return "is a transposition missing, or are the factors in the wrong order?"


def leaves_alone(t: Trial) -> Iterator[Mistake]:
    """Does the rule leave g, the inputs, and what was saved as they are?"""
    run, g = t.run(), t.random()
    saved = copy.deepcopy(run.node.saved)
    _, given = t.pull(g, run)
    yield from found({"changes g": not _equal(run.flat(given), g)}, t.rule.changing(t.rule.arguments[1:]))
    for i in t.places:
        yield from found({"changes input": not _equal(run.inputs[i], t.inputs[i])}, t.rule.changing(), name=t.names[i])
    for k, (old, new) in enumerate(zip(saved, run.node.saved)):
        changed = isinstance(old, np.ndarray) and not _equal(old, new)
        yield from found({"changes saved": changed}, t.rule.changing(), k=k)


def repeats(t: Trial) -> Iterator[Mistake]:
    """Does the rule answer the same again, also after another forward?"""
    g, run = t.random(), t.run()
    answers = t.pull(g, run)[0]
    yield from found({"not repeatable": not all(map(_equal, answers, t.pull(g, run)[0]))}, t.rule.answer())
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
            "kept axis": fits and array(answers[i]).size == t.inputs[i].size,
            "not summed": fits,
            "dropped axis": [n for n in has if n != 1] == [n for n in shape if n != 1],
            "summed wrongly": (len(has) < len(shape) and np.prod(has) < np.prod(shape))
            or (_is_part(has, t.out.shape) and _is_part(shape, t.out.shape)),
            "shape": True,
        }
        if has != shape and (t.strict or not fits):
            yield from found(kinds, t.rule.answer(i), name=t.names[i], got=has, shape=shape)


def multiplies_by_g(t: Trial) -> Iterator[Mistake]:
    """Is the rule linear in g?"""
    g, other = t.random(), t.random()
    answers = [t.gradients(x) for x in (g, other, 2 * g, -g, g + other, 0 * g)]
    for i in (i for i in t.places if t.inputs[i].size):
        one, two, double, minus, both, none = (each[i] for each in answers)
        scale = 1e-9 * (1 + max(np.abs(each).max(initial=0.0) for each in (one, two)))
        kinds = {
            "ignores g": np.any(np.abs(none) > scale) and not np.any(np.abs(none - one) > scale),
            "adds to g": np.any(np.abs(none) > scale),
            "g squared": np.any(np.abs(double - 2 * one) > scale) and not np.any(np.abs(double - 4 * one) > scale),
            "not linear": np.any(np.abs(double - 2 * one) > scale),
            "sign of g": np.any(np.abs(minus + one) > scale),
            "g not summed": np.any(np.abs(both - one - two) > scale),
        }
        k = np.argmax(np.abs(np.nan_to_num(none)))
        yield from found(kinds, t.rule.answer(i), name=t.names[i], value=none.flat[k], at=at(k, none.shape, " at "))


def jacobian_is_right(t: Trial) -> Iterator[Mistake]:
    """Does the rule agree with forward's values at every element?"""
    return (mistake for i in t.places for mistake in compared(t, i))


def inputs_can_tell(t: Trial) -> Iterator[Mistake]:
    """Would a wrong rule show? Not where the derivative is zero on these inputs and not zero on others."""
    for i in t.places:
        name, truth = t.names[i], t.jacobians[i][0]
        yield from found({"cannot tell": not truth.size}, why=f"{name} is empty, or the output is")
        for low, high in ((-2.0, 2.0), (0.2, 0.8), (1.5, 4.0)) if np.abs(truth).max() < 1e-8 else ():
            others = t.on([t.generator.uniform(low, high, a.shape) if is_floating(a) else a for a in t.inputs])
            with contextlib.suppress(Exception):  # numbers that forward refuses
                differs = np.abs(np.nan_to_num(others.jacobians[i][0], posinf=0, neginf=0)).max() > 1e-8
                yield from found(
                    {"cannot tell": differs}, why=f"on them dy/d{name} is 0 everywhere, as many wrong rules say too"
                )


def elsewhere(t: Trial, inputs: list[Any], asked: Sequence[Question], where: str, shape: Any = None) -> Iterator[Mistake]:
    """What the questions find on other inputs, if forward takes them and gives finite numbers (in that shape)."""
    other = t.on(inputs)
    try:
        fits = np.isfinite(other.first.flat()).all() and shape in (None, other.out.shape)
    except Exception:
        return  # forward refuses them
    wrong = first_mistake(other, asked) if fits else None
    if wrong and wrong.kind != "cannot tell":
        yield from found({"other lengths": True}, wrong.place, where=where, says=wrong.says)


def holds_for_other_lengths(t: Trial) -> Iterator[Mistake]:
    """Does the rule hold for twice as many rows, or is a length written into it?"""
    rows = t.inputs[t.places[0]].shape[:1]
    more = [np.concatenate([a, a * 0.9 if is_floating(a) else a]) if np.shape(a)[:1] == rows else a for a in t.inputs if rows]
    where = f"with {2 * rows[0]} rows where there were {rows[0]}" if rows else ""
    return elsewhere(t, more, [rule, shapes_fit, jacobian_is_right], where) if rows and rows[0] else iter(())


def keeps_float32(t: Trial) -> Iterator[Mistake]:
    """Does float32 stay float32, in both passes?"""
    single = {k: v.astype(np.float32) if is_floating(v) else v for k, v in t.parameters.items()}
    for kinds in ("fiu", "f"):  # NumPy makes float64 of float32 and whole numbers, unless they are indices
        trial = t.on([a.astype(np.float32) if is_floating(a, kinds) else a for a in t.inputs], **single)
        with contextlib.suppress(IndexError, TypeError, ValueError):
            answers = trial.pull(trial.random().astype(np.float32))[0]
            yield from found({"forward float32": trial.out.dtype != np.float32}, t.forward.answer(), dtype=trial.out.dtype)
            for i in t.places:
                dtype, number = array(answers[i]).dtype, isinstance(answers[i], (int, float))
                yield from found(
                    {"float32": dtype != np.float32 and not number}, t.rule.answer(i), name=t.names[i], dtype=dtype
                )
            return


def differentiates_twice(t: Trial) -> Iterator[Mistake]:
    """Does the rule, recorded, have the right derivative itself?"""
    try:
        seconds = second_derivatives(t)
    except Exception as fault:
        place = t.rule.raised(fault) or t.rule.answer()
        numpy = re.search(r"\bnp\.[\w.]+", place)
        why = f"{numpy[0]} is NumPy's, which takes no tensors; " if numpy else ""
        yield from found({"order 2 fails": True}, place, error=_error(fault), why=why)
        return
    for i, got, truth, error in seconds:
        off = np.where(np.abs(got - truth) <= 1e-7 * (1 + np.abs(truth)) + 20 * error, 0, np.abs(got - truth))
        k, wrong = np.argmax(off) if off.size else 0, np.flatnonzero(off)
        if wrong.size and not t.bends(i, wrong):
            worst = f"it says {got[k]:.6g}{at(k, t.inputs[i].shape, ' at ')}, its own values say {truth[k]:.6g}"
            yield from found({"order 2": got.any(), "order 2 lost": True}, t.rule.answer(i), name=t.names[i], worst=worst)


def second_derivatives(t: Trial) -> list[tuple[Any, ...]]:
    """For weighted gradients, flat: (input, the engine's derivative, that of the rule's values, the error of the latter)."""
    leaves = [wrap(a.copy()) if isinstance(a, np.ndarray) else a for a in t.inputs]
    moving = [leaves[i].requires_grad_() for i in t.places]
    ways = {i: t.generator.uniform(0.5, 1.5, t.inputs[i].shape) for i in t.places}
    y = (t.function or t.op).apply(*leaves, **copy.deepcopy(t.parameters))
    outs = [(y if isinstance(y, tuple) else (y,))[j] for j in t.first.outs]
    gs = [wrap(t.generator.uniform(0.5, 1.5, out.shape)).requires_grad_() for out in outs]
    first: Any = grad(outs, moving, gs, create_graph=True, materialize_grads=True)
    weighed = [((one + x * 0) * wrap(way)).sum() for one, x, way in zip(first, moving, ways.values())]
    seconds, flat = grad(weighed, moving), np.concatenate([g.array.ravel() for g in gs])

    def values(trial: Trial) -> np.ndarray:
        grads = trial.gradients(flat.astype(np.result_type(*(trial.inputs[i] for i in t.places))))
        return np.array([sum((grads[i] * way).sum() for i, way in ways.items())])

    slopes = (t.slopes(i, values) for i in t.places)
    return [(i, array(got).ravel(), *map(np.ravel, slope)) for i, got, slope in zip(t.places, seconds, slopes)]


RULE: Final[list[Question]] = [rule, shapes_fit, multiplies_by_g, jacobian_is_right]
QUESTIONS: Final[list[Question]] = [
    *(forward, rule, leaves_alone, repeats, shapes_fit, multiplies_by_g, jacobian_is_right),
    *(inputs_can_tell, holds_for_other_lengths, keeps_float32, differentiates_twice),
]


def _is_part(part: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether `part` is the shape of a sum over some axes of an array of shape `whole`."""
    rest = iter(whole)
    return len(part) < len(whole) and all(n in rest for n in part)


def _equal(a: Any, b: Any) -> bool:
    return (a is None and b is None) or np.array_equal(array(a), array(b), equal_nan=array(a).dtype.kind == "f")


def _shapes(values: Any) -> str:
    return ", ".join(str(v.shape) if isinstance(v, np.ndarray) else repr(v) for v in values) or "nothing"


def _plural(values: Any, word: str) -> str:
    return f"{len(values)} {word}{'s' * (len(values) != 1)}"


def _a(value: Any) -> str:
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _error(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
