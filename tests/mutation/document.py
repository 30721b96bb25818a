"""What a run found, as a page."""

from __future__ import annotations

import datetime
import importlib.metadata
import itertools
import os
from collections.abc import Callable, Sequence

from runner.versions import versions
from tests.mutation.explained import EXPLAINED
from tests.mutation.judge import Verdict
from tests.mutation.mutants import Mutant

MINIMUM = 0.95  # the part of the mutants that must be killed
Found = Sequence[tuple[Mutant, Verdict]]

LEFT_OUT = """\
Mutated are all of `minitorch/autograd/` that records and goes back (node, op, backward, gradients, hooks, outputs, recorded,
changes), every `backward`, and whatever of `minitorch/ops` these run by name: functions, and the forward of an operation that
a rule applies, such as the transposed convolution in the gradient of a convolution. Methods and operators of tensors that a rule uses are not followed.

A mutant is one change: an arithmetic operator into its inverse or one other, a comparison into its opposite or the one that
differs at equality, a condition or sign reversed, `and` into `or`, `True` into `False`, a number one more or one less,
`break` into `continue`, a loop over nothing, by Cosmic Ray's operators; and a statement left out, if it is a call, a `raise`,
or an assignment to anything but a name. Cosmic Ray would replace an operator by each of eleven others, most of which fail at
once; its exchange of variables, of exceptions and of decorators is not used, since a name that is not defined there, or an
error of another kind, fails in any test that runs the line. Annotations, decorators, docstrings, the texts of errors and
`__all__` are not mutated. What compiles to the same bytecode is no mutant, nor is another negative length for -1 in `reshape`.

A mutant is put in place in a process of its own, and the tests that run the changed statement are run until one fails: the
quickest first, where the second case of a test function counts as taking twice its time, and so on; {budget:g} seconds of tests
at most. A test that takes more than ten times its
time on the processor plus {patience:g} seconds kills it too. Which tests run which statement is measured first, and all must pass on the
unchanged code, put in place in the same way. What Hypothesis draws is the same each time."""


def survived(found: Found) -> list[tuple[Mutant, Verdict]]:
    return [(mutant, verdict) for mutant, verdict in found if verdict.alive]


def score(found: Found) -> float:
    """The part of the mutants that were killed, by a failing test or by one that took for ever."""
    return 1 - len(survived(found)) / len(found) if found else 1.0


def passes(found: Found) -> bool:
    """Whether enough were killed and every survivor is explained."""
    return score(found) >= MINIMUM and all(mutant.place in EXPLAINED for mutant, _ in survived(found))


def document(found: Found, command: str, budget: float, patience: float) -> str:
    """The counts, by file and by kind, and every survivor with the reason; under what a reader needs to judge or repeat it."""
    used, today = versions(), datetime.date.today()
    tools = ", ".join(map(installed, ("cosmic-ray", "pytest", "hypothesis")))
    alive = survived(found)
    known = sum(mutant.place in EXPLAINED for mutant, _ in alive)
    return f"""# Mutation testing of the engine and of every backward rule

`{command}`, {today.day} {today:%B %Y}: minitorch {used["minitorch"]}, Python {used["python"]}, NumPy {used["numpy"]}, {tools};
BLAS: {", ".join(used["blas"])}; {used["machine"]}; PYTHONHASHSEED={os.environ.get("PYTHONHASHSEED", "random")}.

**{len(found)} mutants, {score(found):.1%} killed; {len(alive)} survived, {known} of these explained.** At least {MINIMUM:.0%} \
must be killed and every survivor explained.

{LEFT_OUT.format(budget=budget, patience=patience)}

{table("file", found, lambda mutant: mutant.file)}

{table("kind", found, lambda mutant: mutant.kind)}

## The survivors

{survivors(alive)}
"""


def installed(name: str) -> str:
    """A package with its version."""
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"without {name}"


def table(name: str, found: Found, key: Callable[[Mutant], str]) -> str:
    """Counts for each value of `key`, and for all."""
    lines = [f"| {name} | mutants | killed | of these by the time-out | survived | score |", "|---|---:|---:|---:|---:|---:|"]
    groups = {value: [entry for entry in found if key(entry[0]) == value] for value in sorted({key(m) for m, _ in found})}
    for value, entries in {**groups, "all": found}.items():
        late, alive = [verdict.outcome for _, verdict in entries].count("time-out"), len(survived(entries))
        lines.append(f"| {value} | {len(entries)} | {len(entries) - alive} | {late} | {alive} | {score(entries):.1%} |")
    return "\n".join(lines)


def survivors(alive: Found) -> str:
    """Each with its line, what became of it, and the sentence that says why no test sees it."""
    parts = []
    for file, entries in itertools.groupby(alive, lambda entry: entry[0].file):
        parts.append(f"### {file}\n")
        for mutant, verdict in entries:
            reached = "" if verdict.outcome == "survived" else " No test reaches it."
            parts.append(
                f"- line {mutant.line}, `{mutant.function or 'the module'}`: `{mutant.before}` became `{mutant.after}`.{reached} "
                f"{EXPLAINED.get(mutant.place, '**Not explained.**')}"
            )
        parts.append("")
    return "\n".join(parts).rstrip()
