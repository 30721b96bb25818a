"""How a wrong rule is wrong, found from two matrices: its Jacobian, and that of forward's values.

A rule that is linear in g is a matrix, (elements of y, elements of the input), like the true derivative. Each suspect
yields a matrix, the kind of mistake if the rule's matrix is that one, and the words for its sentence; the first that fits is
the answer, so the most certain suspects come first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import combinations, islice, permutations
from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.mistakes import Mistake, found
from minitorch.autograd.trial import Trial, at, is_floating

Suspicions = Iterator[tuple[np.ndarray, str, dict[str, Any]]]


class Pair(NamedTuple):
    """The Jacobian of a rule and the true one, for input `i` called `name`, and the shapes of both sides."""

    t: Trial
    i: int
    name: str
    has: np.ndarray
    truth: np.ndarray
    shape: tuple[int, ...]
    out: tuple[int, ...]

    def entry(self, difference: np.ndarray) -> dict[str, str]:
        """What the truth and the rule say where `difference` is largest."""
        row, column = np.unravel_index(np.argmax(np.where(np.isnan(difference), np.inf, np.abs(difference))), difference.shape)
        what = f"d{self.t.first.element(int(row), self.t.y)}/d{self.name}{at(column, self.shape)}"
        return {"worst": f"{what} is {self.truth[row, column]:.6g}, your rule says {self.has[row, column]:.6g}"}


def jacobian_is_right(t: Trial) -> Iterator[Mistake]:
    """Does the rule agree with forward's values at every element?"""
    for i in t.places:
        has, (truth, _), name, place = t.rules()[i], t.jacobians[i], t.names[i], t.rule.answer(i)
        yield from found({"cannot tell": not np.isfinite(truth).all()}, why=f"on them d{t.y}/d{name} is not finite")
        right = is_right(t, i, has)
        t.note(1, has, truth)
        if not right.all():
            kink = {"cannot tell": t.bends(i, np.flatnonzero(~right.all(0)))}
            yield from found(kink, why=f"{t.y} has a kink at an element of {name}")
            p = Pair(t, i, name, has, truth, t.inputs[i].shape, t.out.shape if t.out.size == len(has) else (len(has),))
            fields = {"name": name, "y": t.y} | p.entry(has - truth)
            nothing = np.abs(has).max() < 1e-12 * np.abs(truth).max()
            yield from found({"not finite": not np.isfinite(has).all(), "zero": nothing}, place, **fields)
            suspects = of_another, multiples, misplaced, paths, saved_otherwise, by_rows, path_left_out
            for matrix, kind, more in (each for suspect in suspects for each in suspect(p) if not close(has, truth)):
                line = t.rule.answer() if kind == "swapped" else place
                yield from found({kind: close(has, matrix)}, line, **fields | more)
            yield from found({"local derivative": True}, place, **fields)


def is_right(t: Trial, i: int, has: np.ndarray) -> Any:
    """Where `has` equals the Jacobian of input `i` within its known error; NaN is never right."""
    truth, error = t.jacobians[i]
    return np.abs(has - truth) <= t.tolerance * (1 + np.abs(truth)) + 20 * error


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two matrices are the same to 7 digits, and finite."""
    scale = np.abs(b).max(initial=0.0)
    return a.shape == b.shape and scale < np.inf and bool((np.abs(a - b) <= 1e-7 * np.abs(b) + 1e-9 * scale).all())


# ---- suspects ------------------------------------------------------------------------------------------------------------


def of_another(p: Pair) -> Suspicions:
    """The right gradient of another input, whose rule may in turn give the gradient of this one."""
    for k, (truth, _) in p.t.jacobians.items():
        if k != p.i and truth.shape == p.has.shape and is_right(p.t, k, p.has).all():
            more = ", or both have the wrong sign" if close(p.has, -p.truth) else ""
            kind = "swapped" if is_right(p.t, p.i, p.t.rules()[k]).all() else "of another"
            if kind == "swapped" or not more:
                yield p.has, kind, {"other": p.t.names[k], "more": more}


def multiples(p: Pair) -> Suspicions:
    """The right gradient times a constant, perhaps times a power of an input, of y, or of the derivative itself."""
    beside = [("", np.ones((1, 1))), (p.name, p.t.inputs[p.i].ravel()[None])]
    for name, a in ((name, a) for name, a in zip((*p.t.names, p.t.y), (*p.t.inputs, p.t.out)) if is_floating(a)):
        for shape, turned in ((p.shape, (1, -1)), (p.out, (-1, 1))):
            with contextlib.suppress(ValueError):  # it does not have that shape
                values = np.broadcast_to(a, shape).reshape(turned)
                beside += [(f"(1 - {name})", 1 - values), (name, values)]
    if p.t.out.size == 1:
        beside = beside[-1:] + beside
    beside += [(f"(d{p.t.y}/d{p.name})", p.truth)] if set(np.abs(p.truth).flat) - {0, 1} else []  # else it is a sign
    for what, values in beside:
        for exponent in (1, -1, 2, -2, 0.5, -0.5)[: 6 if what else 1]:
            matrix = np.where(np.abs(p.truth) > 1e-9, values**exponent, 0) * p.truth
            factor = float((p.has * matrix).sum() / (matrix * matrix).sum())
            if not what or np.isclose(abs(factor), (0.5, 1, 2) if p.t.out.size > 1 else 1).any():
                word = {0.5: f"the root of {what}", 2: f"{what}^2"}.get(abs(exponent), what)
                word = "" if not what else f" * {word}" if exponent > 0 else f" / {word}"
                word = f"{factor:.6g}{word}".removeprefix("1 * ")
                yield factor * matrix, "sign" if word == "-1" else "factor", {"factor": word}


def by_rows(p: Pair) -> Suspicions:
    """The right gradient times a factor that is one number for each element, row, column or other slice of the input or y."""
    for side, (name, shape) in enumerate(((p.name, p.shape), (p.t.y, p.out))):
        factors = np.nan_to_num((p.has * p.truth).sum(side) / (p.truth * p.truth).sum(side)).reshape(shape)
        for axes in (*reversed(subsets(shape)), []):
            first = factors[tuple(slice(1) if k in axes else slice(None) for k in range(factors.ndim))]
            if 1 < first.size < np.count_nonzero(p.truth):
                shown = ", ".join(f"{factor:.6g}" for factor in first.ravel()[:3])
                how = f"the same along axes {axes} of {name}" if axes else f"another for each element of {name}"
                matrix = np.expand_dims(np.broadcast_to(first, shape).ravel(), side) * p.truth
                yield matrix, "factor", {"factor": f"{shown} ... ({how})"}


def misplaced(p: Pair) -> Suspicions:
    """The right numbers with axes exchanged, mirrored or shifted."""
    entries, n = p.truth.reshape((*p.out, *p.shape)), len(p.out)
    ys, xs = range(n), range(n, entries.ndim)
    found = [(entries.transpose((*ys, *order)), "its axes are exchanged") for order in islice(permutations(xs), 24)]
    found += [(entries.transpose((*order, *xs)), "the axes of g are exchanged") for order in islice(permutations(ys), 24)]
    found += [(np.flip(entries, tuple(n + k for k in axes)), f"mirrored along axes {axes}") for axes in subsets(p.shape)]
    shifts = ((k, by) for k in xs for by in range(1, entries.shape[k]))
    found += [(np.roll(entries, by, k), f"shifted by {by} along axis {k - n}") for k, by in islice(shifts, 24)]
    return ((matrix.reshape(p.truth.shape), "misplaced", {"how": how}) for matrix, how in found)


def subsets(shape: tuple[int, ...]) -> list[list[int]]:
    """Each choice of one or more axes."""
    return [list(axes) for n in range(1, len(shape) + 1) for axes in combinations(range(len(shape)), n)]


def paths(p: Pair) -> Suspicions:
    """A gradient along another axis, on the diagonal only, where y does not depend on the input, or missing where it does."""
    has, truth = (mixed(each, p.out) if p.shape == p.out != () else set() for each in (p.has, p.truth))
    if has and truth - has:
        yield p.has, "wrong axis", {"has": sorted(has), "truth": sorted(truth)}
    if truth and not has:
        yield p.has, "diagonal only", p.entry(np.where(np.eye(len(p.truth)), 0, p.truth))
    zeros = [p.truth == 0, p.has == 0]
    with contextlib.suppress(Exception):  # zero nearby too, not only here, as the slope of a variance at the mean
        moves = [(i in p.t.places, a) for i, a in enumerate(p.t.inputs)]
        near = p.t.on([a + p.t.generator.uniform(-1e-3, 1e-3, a.shape) if moved else a for moved, a in moves])
        zeros = [zeros[0] & (near.jacobians[p.i][0] == 0), zeros[1] & (near.rules()[p.i] == 0)]
    for kind, zero, others in zip(("wrong place", "missing place"), zeros, (p.has, p.truth)):
        where = zero & (np.abs(others) > 1e-9)
        if where.any():
            yield p.has, kind, p.entry(np.where(where, others, 0))


def mixed(jacobian: np.ndarray, shape: tuple[int, ...]) -> set[int]:
    """The axes along which an output depends on elements in other places than its own."""
    rows, columns = (np.unravel_index(places, shape) for places in np.nonzero(np.abs(jacobian) > 1e-12))
    return {k for k in range(len(shape)) if (rows[k] != columns[k]).any()}


def saved_otherwise(p: Pair) -> Suspicions:
    """Right if forward had saved its arrays in the other order, another array, or the same one changed."""
    saved, known = p.t.first.node.saved, zip((*p.t.names, p.t.y), (*p.t.inputs, p.t.out))
    others = {name: a for name, a in known if is_floating(a)}
    mends = {"took its saved arrays in the other order": saved[::-1]}
    for k, old in ((k, old) for k, old in enumerate(saved) if is_floating(old)):
        read = next((name for name, a in others.items() if np.array_equal(a, old)), f"saved array {k}")
        turned, axes = (old.swapaxes(-1, -2) if old.ndim > 1 else old), tuple(range(old.ndim))
        changed = {"the transpose of": turned, "the mirror image of": np.flip(old, axes[2:] or axes[-1:]), "one over": 1 / old}
        changed |= {"the square of": old * old, "the root of": np.sqrt(old)}
        for name, new in (others | {f"{word} {read}": np.asarray(a) for word, a in changed.items()}).items():
            mends[f"read {name} where it reads {read}"] = (*saved[:k], new, *saved[k + 1 :])
    for mend, arrays in mends.items():
        run = p.t.run()
        run.node.saved = arrays
        with contextlib.suppress(Exception):  # shapes that do not fit
            if is_right(p.t, p.i, p.t.rules(run)[p.i]).all():
                yield p.has, "wrong array", {"mend": mend}


def on_elements(t: Trial, i: int) -> bool:
    """Whether each element of y depends on input `i` in its own place alone, which may be broadcast."""
    a = t.inputs[i]
    if broadcast_dims(t.out.shape, a.shape) is None:
        return False
    own = np.resize(np.broadcast_to(np.arange(a.size).reshape(a.shape), t.out.shape), (len(t.jacobians[i][0]), 1))
    return not t.jacobians[i][0][own != np.arange(a.size)].any()


def path_left_out(p: Pair) -> Suspicions:
    """A change of the whole input that leaves y as it is, though the rule gives another y."""
    added, apart = f"one number is added to all of {p.name}", f"all of {p.name} move to twice their distance from the mean"
    for axes in subsets(p.shape):
        a, over = p.t.inputs[p.i], tuple(k + 1 for k in axes)
        centred = a - a.mean(tuple(axes), keepdims=True)
        for how, move, least in (added, 1, 1e-9), (apart, centred, 1e-2):
            true, ours = (np.abs((each.reshape(-1, *p.shape) * move).sum(over)).max() for each in (p.truth, p.has))
            if true < least * ours and np.prod([p.shape[k] for k in axes]) > 1:
                yield p.has, "path", {"moving": f"{how} along axes {axes}"}
