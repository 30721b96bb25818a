"""`python -m minitorch.check`, `explain` and `op_checks`: each mistake gets its own sentence, and no right rule is accused."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitorch as torch
from minitorch.autograd import Function
from minitorch.autograd.explain import explain
from minitorch.autograd.mistakes import SAYS
from minitorch.autograd.op import Op
from minitorch.check import EXERCISES, op_checks
from minitorch.check.__main__ import main, result
from minitorch.ops.activation import Relu, Sigmoid
from minitorch.ops.arithmetic import Div, Mul, Pow
from minitorch.ops.elementwise import Abs, Floor, Log, Tanh
from minitorch.ops.linear import Linear
from minitorch.ops.softmax import Softmax
from tests.check.captured import sample
from tests.check.solutions import ROW, SOLUTIONS, answer, file
from tests.check.wrong_rules import RULES
from tests.op_table.row import spread

NAMES = [row.name for row in EXERCISES]
WRONG = {f"{k} {kind} {name}": rule for k, rule in enumerate(RULES) for kind, name, *_ in [rule]}


@pytest.fixture
def check(tmp_path, capsys):
    """Runs the command on a text; returns its status and what it prints."""

    def run(text, *arguments):
        (tmp_path / "my_ops.py").write_text(text)
        status = main([str(tmp_path / "my_ops.py"), *arguments])
        return status, capsys.readouterr().out

    return run


# ---- the sentences -------------------------------------------------------------------------------------------------------


def mistake(folder, kind, name, *written):
    (folder / "my_ops.py").write_text(file(answer(name, *written)))
    return result(ROW[name], runpy.run_path(str(folder / "my_ops.py")))


@pytest.mark.parametrize("rule", WRONG.values(), ids=WRONG)
def test_a_wrong_rule_gets_the_sentence_of_its_own_kind_and_a_line(rule, tmp_path):
    found = mistake(tmp_path, *rule)
    assert found["status"] != "right", "accepted"
    assert found["kind"] in rule[0].split("|"), found
    assert "np.float" not in found["says"] and len(found["says"]) < 420
    assert found["kind"] == "no class" or re.match(r"my_ops\.py:\d+   ", found["place"]), found


@pytest.mark.parametrize(
    ("name", "body", "line"),
    [
        ("square", "g[g > 1] = 1\nright = g * 2\nright *= a\nreturn right", "g[g > 1] = 1"),
        ("square", "np.maximum(a, 0, a)\nright = g * 0\nright += a\nreturn right", "np.maximum(a, 0, a)"),
        ("tanh", "return out", "return out"),
        ("linear", "dx = g @ w\nreturn dx, g.T @ x", "return dx, g.T @ x"),
        ("linear", "db = g.mean(0)\nreturn (g @ w)[:, :], g.T @ x, db", "db = g.mean(0)"),
        ("linear", "dx, dw = g @ w * 2, g.T @ x\nreturn dx, dw, g.sum(0)", "dx, dw = g @ w * 2, g.T @ x"),
        ("matmul", "da = g @ b.T\ndb = a.T @ g\nreturn db, da", "return db, da"),
        ("mul", "da = g * b\ndb = g * a\nreturn db, da", "return db, da"),
    ],
)
def test_the_line_that_is_named_is_the_one_that_does_it(name, body, line, tmp_path):
    assert mistake(tmp_path, "", name, body)["place"].endswith(f"   {line}")


def test_every_sentence_is_tried():
    kinds = {kind for kinds, *_ in RULES for kind in kinds.split("|")}
    assert len(RULES) >= 60 and SAYS.keys() - kinds == {"cannot tell"}


@pytest.mark.parametrize("call", sample(3), ids=str)
def test_no_right_rule_is_accused(call):
    says = explain(call.op, *call.inputs, **call.parameters)
    assert says is None or says.startswith("these inputs cannot tell"), says


class HalfTanh(Tanh):
    def backward(ctx, g):
        return super().backward(g) * 0.5


def test_where_the_derivative_is_zero_no_rule_is_accepted():
    cannot = "these inputs cannot tell: "
    for op in Tanh, HalfTanh:
        assert explain(op, np.full((2, 2), 30.0)).startswith(cannot + "on them dy/da is 0 everywhere")
    assert explain(Relu, -np.ones(3)).startswith(cannot)
    assert explain(Log, np.array([0.0, 1.0])).startswith(cannot + "on them dy/da is not finite")
    assert explain(Mul, torch.ones(2, requires_grad=True), torch.zeros(2)).startswith(cannot + "on them dy/da")
    assert explain(Sigmoid, np.zeros((0, 3))).startswith(cannot + "a is empty")
    assert explain(Relu, np.array([0.0, 1.0])) in (None, cannot + "y has a kink at an element of a\nchoose others")
    assert explain(Abs, np.array([0.0, 1.0])) is None, "0 lies between the slopes on its two sides"
    assert explain(Floor, np.array([0.3, 1.2])) is None, "its derivative is 0 everywhere"


def test_a_rule_that_is_right_by_chance_is_not_accepted():
    swapped = type("Swapped", (Mul,), {"backward": lambda ctx, g: (g * ctx.saved[0], g * ctx.saved[1])})
    assert explain(swapped, np.ones(3), np.ones(3)).startswith("with other numbers: the gradients of")
    positive = type("Positive", (Abs,), {"backward": lambda ctx, g: g})
    assert explain(positive, np.ones(3)).startswith("with numbers of the other sign: the gradient of a has the wrong sign")
    rolled = type("Rolled", (Op,), {"forward": lambda ctx, a: np.roll(a, 1), "backward": lambda ctx, g: np.roll(g, 1)})
    assert "in the wrong places: shifted by" in explain(rolled, np.arange(5.0))
    scaled = type("Scaled", (Op,), {"forward": lambda ctx, a: (setattr(ctx, "n", a.shape), a.mean(0))[1]})
    axis = type("Axis", (scaled,), {"backward": lambda ctx, g: g.reshape(1, -1) * np.full(ctx.n, 1 / ctx.n[1])})
    assert "with 6 rows where there were 3: " in explain(axis, spread(3, 3))


class LstmCell(Op):
    def forward(ctx, f, y):
        ctx.saved = f, y
        return f * 2, f * (1 - y)

    def backward(ctx, g, h):
        f, _ = ctx.saved
        return g * 2 + h, -h * f


def test_an_element_of_several_outputs_and_an_input_called_y_are_named():
    assert explain(LstmCell, spread(2, 3), spread(2, 3, seed=1)).startswith(
        "g reaches the right places of f, but the local derivative is wrong: dout[1]["
    )
    ratio = type("Ratio", (Op,), {"forward": lambda ctx, x, y: x / y, "backward": lambda ctx, g: (g, g)})
    assert explain(ratio, spread(2), spread(2, seed=1)).startswith("the gradient of x is y times the right one")
    assert "the chain rule: dL/dx = g * dout/dx" in explain(
        type("One", (ratio,), {"backward": lambda ctx, g: (g * 0 + 1, g)}), spread(2), spread(2, seed=1)
    )


def test_a_right_rule_is_not_accused_where_numpy_computes_with_absolute_values():
    """`x.var(0)` of complex numbers is real: the complex step is off by little for many rows, and is not to be trusted."""

    class Normalize(Op):
        def forward(ctx, x):
            inverse = 1 / np.sqrt(x.var(0) + 1e-5)
            ctx.saved = (x - x.mean(0)) * inverse, inverse
            return ctx.saved[0]

        def backward(ctx, g):
            out, inverse = ctx.saved
            return inverse * (g - g.sum(0) / len(g) - out * ((g * out).sum(0) / len(g)))

    x = np.array([[0.3, 2.0], [1.1, -0.4], [-0.9, 0.8], [0.2, 0.1], [2.1, 1.3]])
    assert explain(Normalize, np.concatenate([x, x * 0.9])).startswith("order 1 is right")


def test_a_right_rule_is_not_accused_near_a_pole():
    class Root(Op):
        def forward(ctx, a):
            ctx.saved = (np.sqrt(a.real),)  # so that the complex step sees nothing
            return ctx.saved[0]

        def backward(ctx, g):
            return g / (2 * ctx.saved[0])

    for op, parameters in (Root, ()), (Pow, (0.5,)):
        assert explain(op, np.array([0.0088, 0.011]), *parameters) is None


class Product(Function):
    factor = 1.0

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @classmethod
    def backward(cls, ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b * cls.factor, (grad * a if ctx.needs_input_grad[1] else None)


class Half(Product):
    factor = 0.5


def test_functions_are_explained_too_and_constants_need_no_gradient():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    assert explain(Product, a, b) is None
    assert explain(Half, a, b).startswith("the gradient of a is 0.5 times the right one")
    assert explain(Product, torch.tensor(a, requires_grad=True), torch.tensor(b)) is None
    assert explain(Softmax, spread(2, 3), dim=1) is None, "parameters are passed on"
    diagonal = type("Diagonal", (Op,), {"forward": lambda ctx, a: np.diag(a).copy(), "backward": lambda ctx, g: np.diag(g)})
    assert explain(diagonal, spread(3, 3)).startswith("order 1 is right"), "with other lengths a square stays one"
    assert explain(Tanh, np.float64(0.5)) is None
    explain(Div, a, b)
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 5.0], "the inputs are left as they were"


# ---- the command ---------------------------------------------------------------------------------------------------------


def test_what_is_solved_is_right(check):
    status, out = check(SOLUTIONS)
    lines = out.splitlines()
    assert status == 0 and [line.split()[:2] for line in lines] == [[name, "right"] for name in NAMES]
    assert re.fullmatch(r"tanh +right +order 1 error \de-\d\d, order 2 error \de-\d\d", lines[NAMES.index("tanh")])
    assert all(float(error) < 1e-14 for error in re.findall(r"error (\S+?)(?:,|\n)", out))
    assert {"tanh", "add_row", "linear", "softmax", "im2col_conv", "normalize"} <= set(NAMES) and len(set(NAMES)) >= 15
    assert {row.name for row in EXERCISES if row.strict} == {"add_row", "scale_rows"}


def test_stubs_have_docstring_and_forward_and_no_rule(check, tmp_path, capsys):
    stubs = tmp_path / "stubs.py"
    assert main(["--stubs", str(stubs)]) == 0
    text = stubs.read_text()
    assert all(row.op.__doc__.splitlines()[0] in text and row.hint in text for row in EXERCISES)
    status, out = check(text)
    assert status == 1 and out.count("unwritten  backward is not written yet") == len(NAMES)
    assert re.search(r"my_ops\.py:\d+   raise NotImplementedError", out)
    with pytest.raises(SystemExit):
        main(["--stubs", str(stubs)])
    assert "exists; name a new file" in capsys.readouterr().err


def test_a_mistake_has_its_sentence_a_hint_and_its_line_and_a_grader_reads_json(check):
    text = file(answer("tanh", "return 1 - out * out"))
    status, out = check(text, "tanh", "linear")
    says, hint, line, other, _ = out.splitlines()
    assert status == 1
    assert re.fullmatch(r"tanh +wrong +your rule ignores g: with g = 0 it still returns 0\.\d+ for a at \[\d, \d\]", says)
    assert hint.strip() == "the chain rule: dL/da = g * dy/da"
    assert re.fullmatch(r"my_ops.py:\d+   return 1 - out \* out", line.strip())
    assert other.startswith("linear         no class   there is no class Linear in my_ops.py")
    tanh, linear = json.loads(check(text, "--json", "tanh", "linear")[1])
    assert (tanh["kind"], tanh["status"], tanh["place"], linear["status"]) == ("ignores g", "wrong", line.strip(), "no class")


def test_a_teachers_own_exercise_is_a_row(check, tmp_path, capsys):
    cube = 'class Cube(Op):\n    """y = a a a."""\n\n    def forward(ctx, a):\n        ctx.saved = (a,)\n        return a * a * a\n'
    row = '\nEXERCISES = [Exercise(Cube, [(np.array([1.0, 2.0, 3.0]),)], "It is a product of three.")]\n'
    teacher = tmp_path / "teacher.py"
    teacher.write_text(file("from minitorch.check import Exercise\n" + cube + row))
    rule = cube + "\n    def backward(ctx, g):\n        (a,) = ctx.saved\n        return g * {} * a\n"
    status, out = check(file(rule.format("3")), "--exercises", str(teacher), "cube")
    assert status == 1 and "the gradient of a is 1 / a times the right one" in out
    assert check(file(rule.format("3 * a")), "--exercises", str(teacher), "cube")[0] == 0
    assert main(["--list", "--exercises", str(teacher)]) == 0
    assert "cube           y = a a a." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected a file, --stubs or --list"),
        (["nowhere.py"], "nowhere.py cannot be run: FileNotFoundError"),
        (["my_ops.py", "tan"], "no exercise is called 'tan'; there are square, mul"),
        (["--stubs", "nowhere/my_ops.py"], "cannot be written: No such file or directory; name a new file"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments, words, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2 and words in capsys.readouterr().err


def test_a_file_that_ends_the_program_or_defines_something_else_is_not_right(check, capsys):
    with pytest.raises(SystemExit) as exit:
        check("import sys\nsys.exit(0)", "tanh")
    assert exit.value.code == 2 and "cannot be run: SystemExit: 0" in capsys.readouterr().err
    for other in ("Tanh = 5", "class Tanh:\n    def backward(ctx, g):\n        return g"):
        assert "there is no class Tanh in my_ops.py" in check(other, "tanh")[1]


def test_the_command_runs(tmp_path):
    (tmp_path / "my_ops.py").write_text(SOLUTIONS)
    command = [sys.executable, "-m", "minitorch.check", str(tmp_path / "my_ops.py"), "tanh"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("tanh           right")


# ---- op_checks -----------------------------------------------------------------------------------------------------------


class Trace(Op):
    def forward(ctx, a):
        ctx.saved = (ctx.eye,) = (np.eye(len(a), dtype=a.real.dtype),)
        ctx.mark_constant(ctx.eye)
        return np.trace(a)

    def backward(ctx, g):
        return g * ctx.saved[0]


PAIR = spread(2, 3, low=0.5), spread(2, 3, low=0.5, seed=1)
RIGHT = [
    *op_checks(Tanh, [(spread(2, 3),), (spread(3),)], reference=np.tanh),
    *op_checks(Softmax, [(spread(2, 3),)], dim=1),
    *op_checks(Mul, [PAIR, (spread(2, 3), spread(3, seed=1))]),
    *op_checks(Linear, [(spread(3, 3), spread(3, 3, seed=1), spread(3, seed=2))]),
    *op_checks(Trace, [(spread(3, 3),)]),
]


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_operation_has_all_properties(check):
    check()


# fmt: off
UNLIKE: dict[str, tuple[str, str]] = {  # for each property, a product's rule that has it not
    "value": ("return g * b, g * a", "forward gives"),
    "first_derivative": ("return g * b * 0.5, g * a", "the gradient of a is 0.5 times the right one"),
    "broadcasting": ("return (g * b)[: len(a)], (g * a)[: len(b)]", r"with a of shape \(1, 3\): your rule leaves out places of a"),
    "float32": ("return g * b * (np.ones(a.shape) if isinstance(a, np.ndarray) else 1), g * a", "the gradient of a is float64"),
    "layouts": ("return g * b.ravel('K').reshape(b.shape), g * a", "the gradient of a changes if the same numbers lie in memory"),
    "empty": ("return (g * b).reshape(2, 3), g * a", "without elements: backward fails"),
    "unchanged": ("right = g * b, g * a\na *= 2\nreturn right", "changes the input a in place|changes saved array 0 in place"),
    "repeatable": ("ctx.calls = getattr(ctx, 'calls', 0) + 1\nreturn g * b * ctx.calls, g * a", "another answer the second time"),
    "second_derivative": ("return np.multiply(g, b), g * a", "np.multiply is NumPy's"),
}
# fmt: on


@pytest.mark.parametrize("name", UNLIKE)
def test_each_property_is_one_check_and_can_fail(name, tmp_path):
    body, words = UNLIKE[name]
    changed = ("a * b", "a * b + 1e-6") if name == "value" else ()
    (tmp_path / "my_ops.py").write_text(file(answer("mul", body, *changed)))
    op = runpy.run_path(str(tmp_path / "my_ops.py"))["Mul"]
    checks = {check.__name__: check for check in op_checks(op, [PAIR], reference=np.multiply)}
    assert list(checks) == list(UNLIKE)
    with pytest.raises(AssertionError, match=words):
        checks[name]()
