"""The formulas in the docstrings are complete, reach `help`, and are what docs/formulas.md shows."""

from __future__ import annotations

import inspect
import pydoc
import re

import pytest

import minitorch as torch
from minitorch import Tensor
from minitorch.autograd.description import formula
from minitorch.autograd.op import Op
from minitorch.ops.elementwise import Tanh
from minitorch.ops.linear import Linear
from tests.check import formula_sheet
from tests.check.captured import calls

DIFFERENTIATED = {}
for call in calls():
    names = [p for p in inspect.signature(call.op.forward).parameters.values() if p.name != "ctx"]
    spread = next((p.name for p in names if p.kind is p.VAR_POSITIONAL), "")
    for i, value in enumerate(call.inputs):
        if isinstance(value, Tensor) and value.requires_grad:
            DIFFERENTIATED.setdefault(call.op, set()).add(spread or names[i].name)


@pytest.mark.parametrize("op", DIFFERENTIATED, ids=lambda op: op.__name__)
def test_every_input_that_has_a_gradient_has_a_formula(op):
    missing = DIFFERENTIATED[op] - op.derivatives().keys()
    assert not missing, f'say in the docstring of {op.__name__} what d{missing.pop()} is: """y.  da = g b, db = g a."""'
    assert all(op.derivatives().values()) and formula(op)[0]


@pytest.mark.parametrize("op", formula_sheet.operations(), ids=lambda op: op.__name__)
def test_every_operation_with_a_rule_has_a_formula(op):
    assert op.derivatives(), f"the docstring of {op.__name__} does not say its derivative"


def test_a_docstring_is_read_as_it_is_written():
    assert Tanh.derivatives() == {"a": "g (1 - tanh^2 a)"}
    assert Linear.derivatives() == {"x": "g w", "w": "g^T x", "b": "the sum of g over rows"}

    class Many(Op):
        """y = a b, by a formula of 0.5 lines; not the usual.

        With m: da = db = g / m (Somebody 2015, section 3), dc[t] = g[t] c, which is 0
        at 0.  dm = 5, and dother = 7 is none of its inputs. Nor is this part of one.
        """

        def forward(ctx, a, b, *c, m=1):
            return a

    expected = {"a": "g / m", "b": "g / m", "c": "g[t] c, which is 0 at 0", "m": "5"}
    assert formula(Many) == ("y = a b, by a formula of 0.5 lines; not the usual", expected)
    assert Many.derivatives() == expected
    assert Many().derivatives() == expected

    class Silent(Op):
        def forward(ctx, a):
            return a

    assert formula(Silent)[1] == {}


@pytest.mark.parametrize(
    ("function", "ends"),
    [
        (torch.tanh, "Tanh: tanh a.  da = g (1 - tanh^2 a)."),
        (torch.Tensor.tanh, "Tanh: tanh a.  da = g (1 - tanh^2 a)."),
        (torch.softmax, "Softmax: p = e^a / sum e^a over `dim`, with the maximum subtracted first.  da = p (g - sum(g p))."),
        (torch.functional.linear, "dx = g w, dw = g^T x, db = the sum of g over rows."),
        (torch.max, "MaxAlong: The largest along `dim` and its index, the first at a tie.  da = g at that index."),
    ],
)
def test_help_ends_with_the_derivatives(function, ends):
    text = pydoc.plain(pydoc.render_doc(function))
    assert text.count("The operations it runs, with their derivatives:") == 1
    assert text.rstrip().endswith(ends)


def test_the_sheet_is_what_the_operations_say():
    line = re.compile(r":(\d+)\]\((\S+)#L(\d+)\)")
    written, made = formula_sheet.FILE.read_text(encoding="utf-8"), formula_sheet.sheet()
    assert line.sub(r"(\2)", written) == line.sub(r"(\2)", made), "run `python -m tests.check.formula_sheet`"
    for (shown, _, link), (now, *_) in zip(line.findall(written), line.findall(made)):
        assert shown == link
        assert abs(int(shown) - int(now)) < 50, "a screen away from the operation: run `python -m tests.check.formula_sheet`"
