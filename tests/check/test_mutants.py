"""A sample of what `python -m tests.check` does: mutants of backward rules are not accepted."""

from __future__ import annotations

import pytest

pytest.importorskip("cosmic_ray", reason="the mutation extra makes the mutants")

from tests.check.__main__ import outcome, traced
from tests.check.captured import calls
from tests.mutation.mutants import mutants


@pytest.mark.parametrize(
    "rule",
    ["elementwise.py:Tanh.slope", "arithmetic.py:Div.backward", "linear.py:Matmul.backward", "norm.py:Normalize.backward"],
)
def test_no_mutant_that_changes_a_gradient_is_accepted(rule):
    name = rule.partition(":")[2].partition(".")[0]
    before = [traced(call) for call in calls() if call.op.__name__ == name][:4]
    said = {f"{mutant.before} -> {mutant.after}": outcome(mutant, before) for mutant in mutants(f"minitorch/ops/{rule}")}
    assert "ACCEPTED" not in said.values(), said
    assert set(said.values()) - {"unseen", "crash or time-out"}, "none is seen"
