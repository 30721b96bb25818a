"""How a wrong rule is wrong, found from two matrices: its Jacobian, and that of forward's values.

A rule that is linear in g is a matrix, (elements of y, elements of the input), like the true derivative. Each of `SUSPECTS`
yields a matrix, the kind of mistake if the rule's matrix is that one, and the words for its sentence; the first that fits is
the answer, so the most certain suspects come first.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

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
        """What the truth and the rule say where `difference` is largest, in two forms."""
        row, column = np.unravel_index(np.argmax(np.where(np.isnan(difference), np.inf, np.abs(difference))), difference.shape)
        y, x = f"y{at(row, self.out)}", f"{self.name}{at(column, self.shape)}"
        true, says = f"{self.truth[row, column]:.6g}", f"your rule says {self.has[row, column]:.6g}"
        depends = f"{y} depends on {x} by {true}" if float(true) else f"{y} does not depend on {x}"
        return {"worst": f"d{y}/d{x} is {true}, {says}", "depends": f"{depends}, {says}"}


def compared(t: Trial, i: int) -> Iterator[Mistake]:
    """What is wrong with the rule of input `i`; nothing if its Jacobian is right."""
    has, truth, name, place = t.rules[i], t.jacobians[i][0], t.names[i], t.rule.answer(i)
    yield from found({"cannot tell": not np.isfinite(truth).all()}, why=f"on them dy/d{name} is not finite")
    right = is_right(t, i, has)
    if right.all():
        return
    yield from found({"cannot tell": t.bends(i, np.flatnonzero(~right.all(0)))}, why=f"y has a kink at an element of {name}")
    p = Pair(t, i, name, has, truth, t.inputs[i].shape, t.out.shape if t.out.size == len(has) else (len(has),))
    fields = {"name": name, "right": (right & (truth != 0)).sum(), "there": (truth != 0).sum(), **p.entry(has - truth)}
    nothing = np.abs(has).max() < 1e-12 * np.abs(truth).max()
    yield from found({"not finite": not np.isfinite(has).all(), "zero": nothing}, place, **fields)
    for matrix, kind, more in (each for suspect in SUSPECTS for each in suspect(p) if not close(has, truth)):
        yield from found({kind: close(has, matrix)}, place, **fields | more)
    yield from found({"local derivative": True}, place, **fields)


def is_right(t: Trial, i: int, has: np.ndarray) -> np.ndarray:
    """Where `has` equals the Jacobian of input `i` within its known error; NaN is never right."""
    truth, error = t.jacobians[i]
    return np.abs(has - truth) <= 1e-10 + 1e-10 * np.abs(truth) + 20 * error


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two matrices are the same to 7 digits, and finite."""
    scale = np.abs(b).max(initial=0.0)
    return a.shape == b.shape and scale < np.inf and bool((np.abs(a - b) <= 1e-7 * np.abs(b) + 1e-9 * scale).all())


# ---- suspects ------------------------------------------------------------------------------------------------------------


def of_another(p: Pair, swapped: bool = False) -> Suspicions:
    """The right gradient of another input; with `swapped`, of one whose rule gives the gradient of this one."""
    for k, (truth, _) in p.t.jacobians.items():
        if k != p.i and truth.shape == p.has.shape and is_right(p.t, k, p.has).all():
            if not swapped:
                yield p.has, "of another", {"other": p.t.names[k]}
            elif is_right(p.t, p.i, p.t.rules[k]).all():
                yield p.has, "swapped or sign" if close(p.has, -p.truth) else "swapped", {"other": p.t.names[k]}


def multiple(p: Pair) -> Suspicions:
    """The right gradient times a constant, which may be a power of y where that is a single number."""
    factor = float((p.has * p.truth).sum() / (p.truth * p.truth).sum()) if p.truth.any() else 0.0
    y, size, counts = p.t.first.flat(), abs(factor), [(n, f"the length of axis {k} of {p.name}") for k, n in enumerate(p.shape)]
    counts += [(y.size, "the number of elements of y"), (p.has.shape[1], f"the number of elements of {p.name}")]
    larger = max(size, 1 / size) if size else 0
    means = [f"{n} is {what}: is y a mean or a sum?" for n, what in counts if n > 2 and np.isclose(n, larger)]
    for exponent in (1, -1, 2, -2) if y.size == 1 and not means else ():
        if np.isclose(factor, y[0] ** exponent):
            yield factor * p.truth, "power", in_words("y", exponent)
    more = "" if np.isclose(size, 1) else f", and {size:.6g} times the right size"
    fields = {"factor": size, "more": more, "missing": "missing" if size < 1 else "too many", "why": "".join(means[:1])}
    yield factor * p.truth, "sign" if factor < 0 else "factor", fields


def product(p: Pair) -> Suspicions:
    """A product of g and another matrix that is not the right one."""
    if len(p.out) != 2 or len(p.shape) != 2:
        return
    g = p.t.random()
    has, truth = ((g @ each).reshape(p.shape) for each in (p.has, p.truth))
    others = [(name, a) for name, a in zip(p.t.names, p.t.inputs) if isinstance(a, np.ndarray) and a.ndim == 2]
    forms: dict[Any, np.ndarray] = {}
    for (name, a), g_first, g_turned, turned in itertools.product(others, (True, False), (False, True), (False, True)):
        factors = [g.reshape(p.out).T if g_turned else g.reshape(p.out), a.T if turned else a]
        left, right = factors if g_first else factors[::-1]
        if left.shape[1] == right.shape[0]:
            forms[name, g_first, g_turned, turned] = left @ right
    said, due = ([form for form, value in forms.items() if close(value, each)] for each in (has, truth))
    for (name, g_first, *_), right in zip(said[:1], due):
        kind = "wrong factor" if name != right[0] else "wrong order" if g_first != right[1] else "factor transposed"
        yield p.has, kind, {"other": name}


def exchanged(p: Pair) -> Suspicions:
    """The right numbers with axes exchanged, mirrored or shifted."""
    entries, ys = p.truth.reshape((*p.out, *p.shape)), tuple(range(len(p.out)))
    xs = tuple(range(len(p.out), entries.ndim))
    orders = [[*itertools.islice(itertools.permutations(axes), 24)] for axes in (xs, ys)]
    found: list[Any] = [(entries.transpose((*ys, *order)), "transposed", {}) for order in orders[0]]
    found += [
        (entries.transpose((*order, *xs)), "g transposed", {}) for order in itertools.islice(itertools.permutations(ys), 24)
    ]
    found += [(np.flip(entries, axes), "mirrored", {"axis": listed(k - len(ys) for k in axes)}) for axes in subsets(xs)]
    found += [(np.roll(entries, by, k), "shifted", {"by": by, "axis": k - len(ys)}) for k in xs for by in (1, -1)]
    return ((matrix.reshape(p.truth.shape), kind, fields) for matrix, kind, fields in found)


def subsets(axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Each choice of one or more of some axes."""
    return [chosen for n in range(1, len(axes) + 1) for chosen in itertools.combinations(axes, n)]


def listed(axes: Any) -> str:
    """Axes in words."""
    return " and ".join(map(str, sorted(axes)))


def paths(p: Pair) -> Suspicions:
    """A gradient along another axis, on the diagonal only, where y does not depend on the input, or missing where it does."""
    has, truth = (mixed(each, p.out) if p.shape == p.out != () else set() for each in (p.has, p.truth))
    if has and truth - has:
        yield p.has, "wrong axis", {"has": listed(has), "truth": listed(truth)}
    if truth and not has:
        yield p.has, "diagonal only", p.entry(np.where(np.eye(len(p.truth)), 0, p.truth))
    zeros = [p.truth == 0, p.has == 0]
    with contextlib.suppress(Exception):  # zero nearby too, not only here, as the slope of a variance at the mean
        near = p.t.moved(p.i, p.t.inputs[p.i] + p.t.generator.uniform(-1e-3, 1e-3, p.shape))
        zeros = [zeros[0] & (near.jacobians[p.i][0] == 0), zeros[1] & (near.rules[p.i] == 0)]
    for kind, zero, others in zip(("wrong place", "missing place"), zeros, (p.has, p.truth)):
        where = zero & (np.abs(others) > 1e-9)
        if where.any():
            yield p.has, kind, p.entry(np.where(where, others, 0))


def mixed(jacobian: np.ndarray, shape: tuple[int, ...]) -> set[int]:
    """The axes along which an output depends on elements in other places than its own."""
    rows, columns = (np.unravel_index(places, shape) for places in np.nonzero(np.abs(jacobian) > 1e-12))
    return {k for k in range(len(shape)) if (rows[k] != columns[k]).any()}


def power(p: Pair) -> Suspicions:
    """The right gradient times a power of an input, of y, or of the derivative itself, and perhaps a constant."""
    inputs = [(name, a) for name, a in zip(p.t.names, p.t.inputs) if is_floating(a)]
    beside = [(p.name, p.t.inputs[p.i].ravel()[None])]
    beside += [
        (name, np.broadcast_to(a, p.out).reshape(-1, 1)) for name, a in inputs if broadcast_dims(p.out, a.shape) is not None
    ]
    beside += [("y", p.t.first.flat()[:, None]), (f"dy/d{p.name}", p.truth)]
    for (what, values), exponent, constant in itertools.product(beside, (1, -1, 2, -2, 0.5, -0.5), (1, -1, 2, -2, 0.5, -0.5)):
        factors = np.where(np.abs(p.truth) > 1e-9, constant * values**exponent, 0)
        yield factors * p.truth, "power", in_words(what, exponent, constant)


def in_words(what: str, exponent: float, constant: float = 1) -> dict[str, str]:
    """A factor, for the sentence of "power"."""
    word = {0.5: f"the root of {what}", 2: f"the square of {what}"}.get(abs(exponent), what)
    also = {1.0: "", -1.0: ", and the sign is wrong"}.get(constant, ", and a constant is wrong")
    return {"what": word, "missing": ("missing" if exponent < 0 else "too many") + also}


def saved_swapped(p: Pair, inputs: int = 1) -> Suspicions:
    """Right if forward had saved its two arrays in the other order; for operations with at least so many `inputs`."""
    saved = p.t.first.node.saved
    if len(p.t.places) >= inputs and len(saved) == 2 and right_with(p, saved[::-1], p.t.places):
        yield p.has, "saved swapped", {}


def saved_otherwise(p: Pair) -> Suspicions:
    """Right if forward had saved another array, or the same one changed."""
    saved, known = p.t.first.node.saved, zip((*p.t.names, "y"), (*p.t.inputs, p.t.out))
    others = {name: a for name, a in known if is_floating(a)}
    words = "the transpose of", "one over", "the square of", "minus", "the root of", "e to the", "the logarithm of"
    for k, old in ((k, old) for k, old in enumerate(saved) if is_floating(old)):
        read = next((name for name, a in others.items() if np.array_equal(a, old)), f"saved array {k}")
        turned = old.swapaxes(-1, -2) if old.ndim > 1 else old
        changed = zip(words, (turned, 1 / old, old * old, -old, np.sqrt(old), np.exp(old), np.log(old)))
        for name, new in (others | {f"{word} {read}": np.asarray(a) for word, a in changed}).items():
            if right_with(p, (*saved[:k], new, *saved[k + 1 :]), [p.i]):
                yield p.has, "wrong array", {"right": name, "read": read}


def right_with(p: Pair, saved: tuple[Any, ...], places: list[int]) -> bool:
    """Whether the rule gives the right gradients of these inputs with other saved arrays."""
    run = p.t.run()
    run.node.saved = saved
    with contextlib.suppress(Exception):  # shapes that do not fit
        rules = p.t.rules_of(run)
        return all(is_right(p.t, i, rules[i]).all() for i in places)
    return False


def by_rows(p: Pair) -> Suspicions:
    """The right gradient times a factor that is one number for each row, column or other slice of the input."""
    factors = ((p.has * p.truth).sum(0) / (p.truth * p.truth).sum(0)).reshape(p.shape)
    for axes in reversed(subsets(tuple(range(len(p.shape))))):
        first = factors[tuple(slice(1) if k in axes else slice(None) for k in range(factors.ndim))]
        if first.size < factors.size:
            shown = ", ".join(f"{factor:.6g}" for factor in first.ravel()[:3])
            matrix = np.broadcast_to(first, p.shape).ravel() * p.truth
            yield matrix, "factor by rows", {"axis": listed(axes), "factors": shown}


def path_left_out(p: Pair) -> Suspicions:
    """A change of the whole input that leaves y as it is, though the rule gives another y."""
    for axes in subsets(tuple(range(len(p.shape)))):
        a, over = p.t.inputs[p.i], tuple(k + 1 for k in axes)
        moves = ("path by the sum", np.ones(p.shape), 1e-9), ("path by the variance", a - a.mean(axes, keepdims=True), 1e-2)
        for kind, move, least in moves:
            changes = ((each.reshape(-1, *p.shape) * move).sum(over) for each in (p.truth, p.has))
            true, ours = (np.abs(each).max() for each in changes)
            if true < least * ours and np.prod([p.shape[k] for k in axes]) > 1:
                yield p.has, kind, {"axis": listed(axes)}


# fmt: off
SUSPECTS: Final[list[Callable[[Pair], Suspicions]]] = [
    functools.partial(of_another, swapped=True), multiple, of_another, product, exchanged, paths,
    functools.partial(saved_swapped, inputs=2), power, saved_otherwise, saved_swapped, by_rows, path_left_out,
]
# fmt: on
