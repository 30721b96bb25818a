"""A line of the table of figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured on how many cases, the bound it has to keep, and whether it did (None: it could not be measured)."""

    what: str
    bound: str
    measured: str
    cases: str
    seed: int | None
    kept: bool | None


def at_most(what: str, bound: float, measured: float, cases: str, seed: int | None, where: str = "", unit: str = "") -> Figure:
    """The largest error, or another number that must not exceed `bound`; `where` says what attained it."""
    shown = f"{measured:.2g}{unit}" + (f" ({where})" if where else "")
    return Figure(what, f"{bound:g}{unit}", shown, cases, seed, measured <= bound)  # nan is not kept


def all_of(what: str, expected: int, found: int, cases: str, seed: int | None) -> Figure:
    """A count that has to be complete."""
    return Figure(what, f"all {expected:,}", f"{found:,}", cases, seed, found == expected > 0)


def not_run(what: str, reason: str) -> Figure:
    return Figure(what, "", f"not run: {reason}", "", None, None)


def table(figures: Iterable[Figure]) -> str:
    """The figures in Markdown."""
    rows = [["figure", "bound", "measured", "cases", "seed", ""], ["---", "---:", "---:", "---", "---:", "---"]]
    for one in figures:
        seed = "" if one.seed is None else str(one.seed)
        rows.append(
            [one.what, one.bound, one.measured, one.cases, seed, {True: "kept", False: "**missed**", None: ""}[one.kept]]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
