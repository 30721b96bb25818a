"""`python -m minitorch.check`: what a student reads, what a grader gets, and `op_checks` for users of pytest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minitorch.autograd.explain import diagnose
from minitorch.autograd.op import Op
from minitorch.check import EXERCISES, op_checks
from minitorch.check.__main__ import main
from minitorch.ops.activation import Softmax
from minitorch.ops.arithmetic import Mul
from minitorch.ops.elementwise import Tanh
from tests.check import planted, solutions
from tests.check.captured import Call
from tests.op_table.row import spread

SOLUTIONS = Path(solutions.__file__)
NAMES = [row.name for row in EXERCISES]


@pytest.fixture
def written(tmp_path):
    """Writes a file and returns its name."""

    def write(text, name="my_ops.py"):
        (tmp_path / name).write_text("import numpy as np\nfrom minitorch.autograd.op import Op\n" + text)
        return str(tmp_path / name)

    return write


TANH = """
class Tanh(Op):
    def forward(ctx, a):
        out = np.tanh(a)
        ctx.saved = (out,)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved
        return 1 - out * out
"""


def test_the_exercises_cover_the_tour():
    assert len(NAMES) == len(set(NAMES)) >= 15
    assert {"tanh", "add_row", "linear", "softmax", "im2col_conv", "normalize"} <= set(NAMES)
    assert {row.name for row in EXERCISES if row.strict} == {"add_row", "scale_rows"}


def test_what_is_solved_is_right(capsys):
    assert main([str(SOLUTIONS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "right"] for name in NAMES]
    assert re.fullmatch(r"tanh +right +order 1 error \de-\d\d, order 2 error \de-\d\d", lines[NAMES.index("tanh")])
    assert all(float(error) < 1e-14 for line in lines for error in re.findall(r"error (\S+?)(?:,|$)", line))


def test_stubs_have_docstring_and_forward_and_no_rule(tmp_path, capsys):
    file = tmp_path / "my_ops.py"
    assert main(["--stubs", str(file)]) == 0
    capsys.readouterr()
    assert main([str(file)]) == 1
    out = capsys.readouterr().out
    assert out.count("unwritten  backward is not written yet") == len(NAMES)
    assert re.search(r"my_ops\.py:\d+   raise NotImplementedError", out)
    text = file.read_text()
    assert all(row.op.__doc__.splitlines()[0] in text and row.hint in text for row in EXERCISES)
    with pytest.raises(SystemExit):
        main(["--stubs", str(file)])
    assert "exists; name a new file" in capsys.readouterr().err


def test_a_mistake_has_its_sentence_a_hint_and_its_line(written, capsys):
    assert main([written(TANH), "tanh"]) == 1
    says, below, *rest = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"tanh +wrong +your rule ignores g: with g = 0 it still returns 0\.\d+ for a at \[\d, \d\]", says)
    assert below.strip() == "the chain rule: dL/da = g * dy/da"
    assert [line.strip() for line in rest] == ["my_ops.py:12   return 1 - out * out"]


def test_the_value_is_compared_first(written, capsys):
    assert main([written(TANH.replace("np.tanh(a)", "np.sinh(a)")), "tanh"]) == 1
    assert re.search(r"forward gives -?\d\.\d+ at \[0, 0\], expected ", capsys.readouterr().out)


def test_only_what_is_asked_for_counts(written, capsys):
    file = written(TANH.replace("return 1 -", "return g * (1 -").replace("out * out\n", "out * out)\n"))
    assert main([file, "tanh"]) == 0
    assert main([file]) == 1
    assert "linear         no class   there is no class Linear in my_ops.py" in capsys.readouterr().out


def test_a_grader_reads_json(written, capsys):
    assert main([written(TANH), "--json", "tanh", "linear"]) == 1
    tanh, linear = json.loads(capsys.readouterr().out)
    assert tanh["kind"] == "ignores g" and tanh["place"].startswith("my_ops.py:12") and tanh["status"] == "wrong"
    assert linear["status"] == "no class"


def test_a_teachers_own_exercise_is_a_row(written, capsys):
    teacher = written(
        '''
from minitorch.check import Exercise

class Cube(Op):
    """y = a a a."""

    def forward(ctx, a):
        ctx.saved = (a,)
        return a * a * a

EXERCISES = [Exercise(Cube, [(np.array([1.0, 2.0, 3.0]),)], "It is a product of three.")]
''',
        "teacher.py",
    )
    rule = "\nclass Cube(Op):\n    def forward(ctx, a):\n        ctx.saved = (a,)\n        return a**3\n"
    rule += "    def backward(ctx, g):\n        (a,) = ctx.saved\n        return g * {} * a\n"
    assert main([written(rule.format("3")), "--exercises", teacher, "cube"]) == 1
    assert "the gradient of a is right up to a factor: a is missing" in capsys.readouterr().out
    assert main([written(rule.format("3 * a")), "--exercises", teacher, "cube"]) == 0
    assert main(["--list", "--exercises", teacher]) == 0
    assert "cube           y = a a a." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected a file, --stubs or --list"),
        (["nowhere.py"], "nowhere.py cannot be run: FileNotFoundError"),
        ([str(SOLUTIONS), "tan"], "no exercise is called 'tan'; there are square, mul"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments, words, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert words in capsys.readouterr().err


def test_the_command_runs():
    command = [sys.executable, "-m", "minitorch.check", str(SOLUTIONS), "tanh"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=SOLUTIONS.parents[2], check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("tanh           right")


@pytest.mark.parametrize("row", EXERCISES, ids=NAMES)
def test_no_planted_mistake_passes_on_the_inputs_of_an_exercise(row):
    solved = getattr(solutions, row.op.__name__)
    for case in row.cases:
        call = Call(solved, list(case), row.parameters)
        for kind, op in planted.planted(call):
            if kind in ("float32", "changes g") or not planted.unchanged(call, op):
                found = diagnose(op, *case, strict=row.strict, orders=row.orders, **row.parameters)
                assert found is not None and found.kind in kind.split("|"), (kind, found)


# ---- op_checks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", op_checks(Tanh, [(spread(2, 3),), (spread(3),)], reference=np.tanh))
def test_an_operation_has_all_properties(check):
    check()


@pytest.mark.parametrize("check", op_checks(Softmax, [(spread(2, 3),)], dim=1))
def test_parameters_are_passed_on(check):
    check()


@pytest.mark.parametrize("check", op_checks(Mul, [(spread(2, 3), spread(2, 3, seed=1)), (spread(2, 3), spread(3, seed=1))]))
def test_an_operation_on_two_inputs_has_all_properties(check):
    check()


def test_there_is_one_check_for_each_property():
    names = [check.__name__ for check in op_checks(Tanh, [(spread(3),)], reference=np.tanh)]
    assert names == [
        "value",
        "first_derivative",
        "broadcasting",
        "float32",
        "layouts",
        "empty",
        "unchanged",
        "repeatable",
        "second_derivative",
    ]


def product(rule, more=0.0):
    """a b (and something more), with a rule of ctx, g, a and b."""

    class Product(Op):
        def forward(ctx, a, b):
            ctx.saved = a, b
            return a * b + more if more else a * b

        def backward(ctx, g):
            return rule(ctx, g, *ctx.saved)

    return Product


def doubling(ctx, g, a, b):
    right = g * b, g * a
    a *= 2
    return right


def counting(ctx, g, a, b):
    ctx.calls = getattr(ctx, "calls", 0) + 1
    return g * b * ctx.calls, g * a


PAIR = spread(2, 3, low=0.5), spread(2, 3, low=0.5, seed=1)
UPCAST = "the gradient of a is float64"
SPLIT = r"with a of shape \(1, 3\): your rule leaves out places of a"
ORDERED = "the gradient of a changes if the same numbers lie in memory in another order"


@pytest.mark.parametrize(
    ("op", "name", "words"),
    [
        (product(lambda ctx, g, a, b: (g * b, g * a), more=1e-6), "value", "forward gives"),
        (
            product(lambda ctx, g, a, b: (g * b * 0.5, g * a)),
            "first_derivative",
            "the gradient of a is 0.5 times the right one",
        ),
        (product(lambda ctx, g, a, b: ((g * b)[: a.shape[0]], (g * a)[: b.shape[0]])), "broadcasting", SPLIT),
        (
            product(lambda ctx, g, a, b: (g * b * (np.ones(a.shape) if isinstance(a, np.ndarray) else 1), g * a)),
            "float32",
            UPCAST,
        ),
        (product(lambda ctx, g, a, b: (g * b.ravel("K").reshape(b.shape), g * a)), "layouts", ORDERED),
        (product(lambda ctx, g, a, b: ((g * b).reshape(2, 3), g * a)), "empty", "without elements: backward fails"),
        (product(doubling), "unchanged", "changes the input a in place|changes saved array 0 in place"),
        (product(counting), "repeatable", "another answer the second time"),
        (product(lambda ctx, g, a, b: (np.multiply(g, b), g * a)), "second_derivative", "np.multiply is NumPy's"),
    ],
)
def test_each_property_can_fail(op, name, words):
    checks = {check.__name__: check for check in op_checks(op, [PAIR], reference=np.multiply)}
    with pytest.raises(AssertionError, match=words):
        checks[name]()
