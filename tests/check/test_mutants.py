"""A sample of what `python -m tests.check` does: mutants of backward rules are not accepted."""

from __future__ import annotations

import pytest

pytest.importorskip("cosmic_ray", reason="the mutation extra makes the mutants")

from tests.check.__main__ import answers, differs, verdict
from tests.check.captured import calls
from tests.mutation.graft import graft
from tests.mutation.mutants import mutants
from tests.mutation.scope import ROOT, module_of

RULES = [
    "elementwise.py:Tanh.slope",
    "activation.py:Softmax.backward",
    "arithmetic.py:Div.backward",
    "linear.py:Matmul.backward",
    "reduce.py:Mean.backward",
    "norm.py:Normalize.backward",
]


@pytest.mark.parametrize("rule", RULES)
def test_no_mutant_that_changes_a_gradient_is_accepted(rule):
    name = rule.partition(":")[2].partition(".")[0]
    chosen = [call for call in calls() if call.op.__name__ == name][:4]
    before, seen = [answers(call) for call in chosen], 0
    for mutant in mutants(f"minitorch/ops/{rule}"):
        module = module_of(mutant.file)
        graft(module, mutant.function, mutant.source)
        try:
            changed = [call for call, old in zip(chosen, before) if differs(old, answers(call))]
            seen += bool(changed)
            assert all(verdict(call) for call in changed), f"{mutant.before} -> {mutant.after} is accepted"
        finally:
            graft(module, mutant.function, (ROOT / mutant.file).read_text())
    assert seen
