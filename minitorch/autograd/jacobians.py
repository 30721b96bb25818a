"""In which way a wrong rule is wrong, told from two matrices: its Jacobian, and that of forward's values.

A rule that is linear in g is a matrix, (elements of y, elements of the input), as the true derivative is. One may be a multiple
of the other, have its axes exchanged, be that of another input, or its diagonal; have numbers where the other has zeros; or the
rule would be right if forward had saved something else. `KINDS` looks for these in turn, the most certain first.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch.autograd.mistakes import Mistake, mistake
from minitorch.autograd.trial import Trial


class Pair(NamedTuple):
    """The Jacobian of a rule and the true one, of one input of an operation on trial."""

    t: Trial
    i: int
    has: np.ndarray
    truth: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the input."""
        return self.t.inputs[self.i].shape

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of y; one row if y is several arrays."""
        return self.t.out.shape if self.t.out.size == len(self.has) else (len(self.has),)

    def says(self, kind: str, **fields: Any) -> Mistake:
        """The mistake of a kind in the rule of this input."""
        return mistake(kind, self.t.source.answer(self.i), name=self.t.names[self.i], **fields)

    def y(self, row: int) -> str:
        """An element of y, in a message."""
        return f"y{_at(row, self.out)}"

    def x(self, column: int) -> str:
        """An element of the input, in a message."""
        return f"{self.t.names[self.i]}{_at(column, self.shape)}"

    def depends(self, row: int, column: int) -> str:
        """What the two say of one element."""
        truth, has = self.truth[row, column], self.has[row, column]
        on = "does not depend on" if truth == 0 else "depends on"
        return f"{self.y(row)} {on} {self.x(column)} (by {truth:.6g}), your rule says {has:.6g}"

    def worst(self) -> str:
        """Where the two differ most."""
        error = np.where(np.isnan(self.has), np.inf, np.abs(self.has - self.truth))
        row, column = map(int, np.unravel_index(np.argmax(error), error.shape))
        return f"d{self.y(row)}/d{self.x(column)} is {self.truth[row, column]:.6g}, your rule says {self.has[row, column]:.6g}"


def compared(t: Trial, i: int) -> Mistake | None:
    """What is wrong with the rule of input `i`; None if its Jacobian is right."""
    pair = Pair(t, i, t.rules[i], t.jacobians[i][0])
    if not np.isfinite(pair.truth).all():
        return mistake("cannot tell", why=f"on them dy/d{t.names[i]} is not finite")
    wrong = ~is_right(t, i, pair.has)
    if not wrong.any():
        return None
    if any(t.bends(i, int(k)) for k in np.flatnonzero(wrong.any(0))):
        return mistake("cannot tell", why=f"y has a kink at an element of {t.names[i]}")
    found = (kind(pair) for kind in KINDS)
    return next(each for each in found if each is not None)


def is_right(t: Trial, i: int, has: np.ndarray) -> np.ndarray:
    """Where `has` is the Jacobian of input `i`, to what is known of that; NaN is nowhere right."""
    truth, error = t.jacobians[i]
    return np.abs(has - truth) <= 1e-10 + 1e-10 * np.abs(truth) + 20 * error


def _at(flat: int, shape: tuple[int, ...]) -> str:
    return str([int(n) for n in np.unravel_index(flat, shape)]) if shape else ""


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool((np.abs(a - b) <= 1e-7 * (1 + np.abs(b))).all())


def _list(axes: Any) -> str:
    return " and ".join(str(k) for k in sorted(axes))


# ---- the kinds -----------------------------------------------------------------------------------------------------------


def not_finite(p: Pair) -> Mistake | None:
    """NaN or infinities."""
    return None if np.isfinite(p.has).all() else p.says("not finite", worst=p.worst())


def zero(p: Pair) -> Mistake | None:
    """Nothing at all."""
    return p.says("zero", worst=p.worst()) if np.abs(p.has).max() < 1e-12 * np.abs(p.truth).max() else None


def multiple(p: Pair) -> Mistake | None:
    """The right gradient times a constant."""
    factor = float((p.has * p.truth).sum() / (p.truth * p.truth).sum()) if p.truth.any() else 0.0
    if not factor or not _close(p.has, factor * p.truth) or abs(factor - 1) < 1e-7:
        return None
    size = abs(factor)
    if factor < 0:
        return p.says("sign", more="" if np.isclose(size, 1) else f", and it is {size:.6g} times too large")
    counts = {p.shape[k]: f"the length of axis {k} of {p.t.names[p.i]}" for k in range(len(p.shape))}
    counts |= {p.t.out.size: "the number of elements of y", p.t.inputs[p.i].size: f"the number of elements of {p.t.names[p.i]}"}
    why = next(
        (f"{n} is {what}: is y a mean or a sum?" for n, what in counts.items() if n > 2 and np.isclose(max(size, 1 / size), n)),
        "",
    )
    return p.says("factor", factor=f"{size:.6g}", missing="missing" if size < 1 else "too many", why=why)


def swapped(p: Pair) -> Mistake | None:
    """Two gradients, each the right one of the other input."""
    names = [p.t.names[k] for k in _others(p) if is_right(p.t, p.i, p.t.rules[k]).all()]
    kind = "swapped or sign" if _close(p.has, -p.truth) else "swapped"
    return p.says(kind, other=names[0]) if names else None


def of_another(p: Pair) -> Mistake | None:
    """The right gradient of another input."""
    names = [p.t.names[k] for k in _others(p)]
    return p.says("of another", other=names[0]) if names else None


def _others(p: Pair) -> list[int]:
    """The other inputs of which this is the right gradient."""
    same = [k for k in p.t.places if k != p.i and p.t.jacobians[k][0].shape == p.has.shape]
    return [k for k in same if is_right(p.t, k, p.has).all()]


def product(p: Pair) -> Mistake | None:
    """Of the products that g and another matrix have, another than the right one."""
    g = p.t.random()
    if len(p.out) != 2 or len(p.shape) != 2:
        return None
    truth, has = ((g @ each).reshape(p.shape) for each in (p.truth, p.has))
    g = g.reshape(p.out)
    others = [(name, a) for name, a in zip(p.t.names, p.t.inputs) if isinstance(a, np.ndarray) and a.ndim == 2]
    forms = {}
    for (name, a), g_first, g_turned, turned in itertools.product(others, (True, False), (False, True), (False, True)):
        left, right = (g.T if g_turned else g), (a.T if turned else a)
        left, right = (left, right) if g_first else (right, left)
        if left.shape[1] == right.shape[0]:
            forms[name, g_first, g_turned, turned] = left @ right
    said, due = (next((key for key, value in forms.items() if _close(value, each)), None) for each in (has, truth))
    if said is None or due is None:
        return None
    kind = "wrong factor" if said[0] != due[0] else "wrong order" if said[1] != due[1] else "factor transposed"
    return p.says(kind, other=said[0])


def exchanged(p: Pair) -> Mistake | None:
    """The right numbers with axes exchanged, mirrored or shifted."""
    has, truth = (each.reshape(-1, *p.shape) for each in (p.has, p.truth))
    for order in list(itertools.permutations(range(len(p.shape))))[1:24]:
        if _close(has.transpose(0, *(k + 1 for k in order)), truth):
            return p.says("transposed")
    for order in list(itertools.permutations(range(len(p.out))))[1:24]:
        rows = p.has.reshape(*p.out, -1).transpose(*order, len(p.out))
        if rows.shape[:-1] == p.out and _close(rows.reshape(p.truth.shape), p.truth):
            return p.says("g transposed")
    for axes in _subsets(len(p.shape)):
        if _close(np.flip(has, tuple(k + 1 for k in axes)), truth):
            return p.says("mirrored", axis=_list(axes))
    for k, by in itertools.product(range(len(p.shape)), (1, -1)):
        if _close(np.roll(has, by, k + 1), truth):
            return p.says("shifted", by=by, axis=k)
    return None


def _subsets(count: int) -> list[tuple[int, ...]]:
    """Each choice of one or more of `count` axes."""
    return [axes for n in range(1, count + 1) for axes in itertools.combinations(range(count), n)]


def mixed(jacobian: np.ndarray, shape: tuple[int, ...]) -> set[int]:
    """The axes along which an output depends on elements in other places than its own."""
    rows, columns = np.nonzero(np.abs(jacobian) > 1e-12)
    pairs = zip(np.unravel_index(rows, shape), np.unravel_index(columns, shape))
    return {k for k, (a, b) in enumerate(pairs) if (a != b).any()}


def paths(p: Pair) -> Mistake | None:
    """Along another axis, on the diagonal only, where y does not depend on the input, or not everywhere where it does."""
    has, truth = (mixed(each, p.out) if p.shape == p.out and p.out else set() for each in (p.has, p.truth))
    if has and truth - has:
        return p.says("wrong axis", has=_list(has), truth=_list(truth))
    if truth and not has:
        return p.says("diagonal only", depends=p.depends(*_largest(np.where(np.eye(len(p.truth)), 0, p.truth))))
    extra = np.where((p.truth == 0) & (np.abs(p.has) > 1e-9), p.has, 0)
    if extra.any():
        return p.says("wrong place", depends=p.depends(*_largest(extra)))
    missing = np.where((p.has == 0) & (np.abs(p.truth) > 1e-9), p.truth, 0)
    return p.says("missing place", depends=p.depends(*_largest(missing))) if missing.any() else None


def _largest(a: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(np.argmax(np.abs(a)), a.shape)))


def power(p: Pair) -> Mistake | None:
    """The right gradient times a power of an input, of y, or of the derivative itself."""
    rows, columns = np.nonzero(np.abs(p.truth) > 1e-9)
    ratio = p.has[rows, columns] / p.truth[rows, columns]
    for what, values in _beside(p, rows, columns):
        for exponent, constant in itertools.product((1, -1, 2, -2, 0.5, -0.5), (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)):
            tried = constant * values**exponent
            if _close(tried, ratio) and not np.allclose(tried, tried[0]):
                word = {0.5: f"the root of {what}", 2: f"the square of {what}"}.get(abs(exponent), what)
                also = {1.0: "", -1.0: ", and the sign is wrong"}.get(constant, ", and a constant is wrong")
                return p.says("power", what=word, missing=("missing" if exponent < 0 else "too many") + also)
    return None


def _beside(p: Pair, rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The numbers of each input and of y that belong to entries of the Jacobian."""
    t = p.t
    yield t.names[p.i], t.inputs[p.i].ravel()[columns]
    for name, a in zip(t.names, t.inputs):
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            with contextlib.suppress(ValueError):
                yield name, np.broadcast_to(a, p.out).ravel()[rows]
    yield "y", t.first.values()[rows]
    yield f"dy/d{t.names[p.i]}", p.truth[rows, columns]


def saved_swapped(p: Pair) -> Mistake | None:
    """Right for each of several inputs, if the two saved arrays were taken in the other order."""
    return p.says("saved swapped") if len(p.t.places) > 1 and _swapped_is_right(p) else None


def _swapped_is_right(p: Pair) -> bool:
    saved = p.t.first.node.saved
    return len(saved) == 2 and _would_be_right(p, saved[::-1])


def repaired(p: Pair) -> Mistake | None:
    """Right, had forward saved something else."""
    t, saved = p.t, p.t.first.node.saved
    known = {name: a for name, a in zip(t.names, t.inputs) if isinstance(a, np.ndarray)} | {"y": t.out}
    for k, old in enumerate(saved):
        if not isinstance(old, np.ndarray) or old.dtype.kind != "f":
            continue
        read = next((what for what, a in known.items() if a.shape == old.shape and np.array_equal(a, old)), f"saved array {k}")
        tries = {what: a for what, a in known.items() if a.shape == old.shape and what != read}
        changed = {
            "the transpose of": old.swapaxes(-1, -2) if old.ndim > 1 else old,
            "one over": 1 / old,
            "the square of": old * old,
        }
        changed |= {"minus": -old, "the root of": np.sqrt(old), "e to the": np.exp(old), "the logarithm of": np.log(old)}
        tries |= {f"{word} {read}": np.asarray(a) for word, a in changed.items()}
        for right, new in tries.items():
            if np.isfinite(new).all() and _would_be_right(p, (*saved[:k], new, *saved[k + 1 :])):
                return p.says("wrong array", right=right, read=read)
    return p.says("saved swapped") if _swapped_is_right(p) else None


def _would_be_right(p: Pair, saved: tuple[Any, ...]) -> bool:
    run = p.t.run()
    run.node.saved = saved
    with contextlib.suppress(Exception):  # shapes that do not fit
        has = p.t.rules_of(run)[p.i]
        return bool(is_right(p.t, p.i, has).all())
    return False


def path_left_out(p: Pair) -> Mistake | None:
    """A move of the whole input that leaves y as it is, which the rule denies."""
    has, truth = (each.reshape(-1, *p.shape) for each in (p.has, p.truth))
    for axes in _subsets(len(p.shape)):
        over, a = tuple(k + 1 for k in axes), p.t.inputs[p.i]
        spread = a - a.mean(axes, keepdims=True)
        for kind, move, least in ("path by the sum", np.ones(p.shape), 1e-9), ("path by the variance", spread, 1e-2):
            true, ours = (np.abs((each * move).sum(over)).max(initial=0.0) for each in (truth, has))
            if true < least * ours and np.prod([p.shape[k] for k in axes]) > 1:
                return p.says(kind, axis=_list(axes))
    return None


def by_rows(p: Pair) -> Mistake | None:
    """The right gradient times a factor that is one number for each row, column or other slice of the input."""
    factors = (p.has * p.truth).sum(0) / (p.truth * p.truth).sum(0)
    if not _close(p.has, factors * p.truth) or not np.isfinite(factors).all():
        return None
    factors = factors.reshape(p.shape)
    for axes in reversed(_subsets(len(p.shape))):
        first = factors[tuple(slice(1) if k in axes else slice(None) for k in range(factors.ndim))]
        if np.prod([p.shape[k] for k in axes]) > 1 and _close(factors, np.broadcast_to(first, p.shape)):
            return p.says(
                "factor by rows", axis=_list(axes), factors=", ".join(f"{factor:.6g}" for factor in first.ravel()[:3])
            )
    return None


def local(p: Pair) -> Mistake | None:
    """The right places, and wrong numbers there."""
    right, there = is_right(p.t, p.i, p.has) & (p.truth != 0), p.truth != 0
    return p.says("local derivative", worst=p.worst(), right=int(right.sum()), there=int(there.sum()))


KINDS: list[Callable[[Pair], Mistake | None]] = [
    not_finite,
    zero,
    swapped,
    multiple,
    of_another,
    product,
    exchanged,
    paths,
    saved_swapped,
    power,
    repaired,
    by_rows,
    path_left_out,
    local,
]
