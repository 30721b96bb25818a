"""The questions that `explain` asks of a rule before its numbers: whether it runs, what it returns, and what else it does."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import Any, Final

import numpy as np

from minitorch.autograd.mistakes import Mistake, mistake
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.autograd.trial import Source, Trial, array, fitted, flat


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
        return mistake("forward fails", source.raised(fault), shapes=_shapes(t.inputs), error=error_in_words(fault))
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
            return mistake("product does not fit", place, why=FITS, **given)
        return mistake("backward fails", place, error=error_in_words(fault), **given)
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
        if isinstance(answer, (np.ndarray, np.generic)) and answer.dtype.itemsize < 8 and t.out.dtype == np.float64:
            return mistake("precision", place, name=name, dtype=answer.dtype)
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


FITS: Final = "is a transposition missing, or are the factors in the wrong order?"


# ---- words ----------------------------------------------------------------------------------------------------------------


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


def error_in_words(fault: Exception) -> str:
    """An exception as a message shows it."""
    return f"{type(fault).__name__}: {fault}"
