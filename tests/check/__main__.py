"""`explain` tried on mutants of the backward rules, and on all that the table of operations runs.

    python -m tests.check            # a few minutes; prints the counts, and what is accepted or accused

The mutants are those of tests/mutation. One counts if its gradient, in float64, differs by more than 1e-8 from the right one on
some call of the table on which forward's values are what they were. Each runs in a process of its own. The exit status is 1 if
one of them is accepted, or a right rule accused. Needs the `mutation` extra, and fork().
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import signal
import sys
from typing import Any

import numpy as np

from minitorch.autograd.explain import QUESTIONS, first_mistake
from minitorch.autograd.trial import Trial, quiet
from tests.check.captured import Call, calls
from tests.mutation.graft import graft, live
from tests.mutation.judge import apart
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.scope import module_of

SECONDS = 120  # that a mutant may take
CALLS = 3  # on which it is judged


def main() -> int:
    accused = [(call, kind) for call in calls() if (kind := verdict(call)) not in ("", "cannot tell")]
    print("\n".join(f"accused: {call}: {kind}" for call, kind in accused), flush=True)
    before = [traced(call) for call in calls()]
    chosen, counts = mutants("minitorch/ops/*"), collections.Counter()
    for each in chosen:
        counts[said := outcome(each, before)] += 1
        if said == "ACCEPTED":
            print(f"accepted: {each.file}:{each.line} {each.function}: {each.before} -> {each.after}", flush=True)
    print(f"{len(calls())} right calls, {len(accused)} accused; {len(chosen)} mutants: {dict(counts.most_common())}")
    return 1 if accused or counts["ACCEPTED"] else 0


def verdict(call: Call) -> str:
    """The kind of mistake that the rule of a call is said to have; second derivatives are left out."""
    found = first_mistake(Trial(call.op, tuple(call.inputs), call.parameters), QUESTIONS[:-1])
    return "" if found is None else found.kind


def answers(call: Call) -> tuple[Any, Any]:
    """The values of a call, and its gradients; None for what fails."""
    values = gradients = None
    with quiet(), contextlib.suppress(Exception):
        trial = Trial(call.op, tuple(call.inputs), call.parameters)
        values = trial.first.flat()
        gradients = trial.gradients(trial.random())
    return values, gradients


def differs(old: tuple[Any, Any], new: tuple[Any, Any]) -> bool:
    """Whether the values are what they were, and a gradient is not."""
    if old[1] is None or new[0] is None or not np.array_equal(old[0], new[0], equal_nan=True):
        return False
    return new[1] is None or any(
        b is None or b.shape != a.shape or not np.allclose(a, b, rtol=0, atol=1e-8, equal_nan=True)
        for a, b in zip(old[1].values(), new[1].values())
    )


def traced(call: Call) -> tuple[Call, Any, set[tuple[str, int]]]:
    """A call, its answers, and the functions that it runs, by file and line."""
    run: set[tuple[str, int]] = set()
    sys.setprofile(lambda frame, event, _: run.add((frame.f_code.co_filename, frame.f_code.co_firstlineno)))
    try:
        return call, answers(call), run
    finally:
        sys.setprofile(None)


def judge(mutant: Mutant, before: list) -> str:
    """What is said of a mutant on the first calls that see it; "unseen" if none does."""
    signal.alarm(SECONDS)
    module = module_of(mutant.file)
    code = getattr(live(module, mutant.function), "__code__", None)
    place = code and (code.co_filename, code.co_firstlineno)
    reach = [(call, old) for call, old, run in before if place is None or place in run]
    graft(module, mutant.function, mutant.source)
    seen = (call for call, old in reach if differs(old, answers(call)))
    kinds = [verdict(call) or "ACCEPTED" for call in itertools.islice(seen, CALLS)]
    return "ACCEPTED" if "ACCEPTED" in kinds else kinds[-1] if kinds else "unseen"


def outcome(mutant: Mutant, before: list) -> str:
    """What a process of its own says of a mutant; "crash or time-out" where it ends otherwise."""
    try:
        return apart(lambda: judge(mutant, before))
    except ChildProcessError:
        return "crash or time-out"


if __name__ == "__main__":
    sys.exit(main())
