"""The mutation tests themselves: what is mutated, and that a mutant lives in a process of its own and nowhere else."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from tests.mutation.__main__ import Version, verdicts
from tests.mutation.document import document, passes
from tests.mutation.graft import code_of, content, live
from tests.mutation.judge import Verdict
from tests.mutation.mutants import Layout, Mutant, change, differing, of_source
from tests.mutation.scope import ROOT, files, module_of

JUDGED = """
import json, sys
import pytest
from tests.mutation import judge
from tests.mutation.mutants import Mutant
from tests.mutation.scope import ROOT

judge.PATIENCE = 0.3  # the endless loop below need not last longer
FILE, FUNCTION, RULE = "minitorch/ops/elementwise.py", "Sqrt.backward", "return g / (out * 2)"
source = (ROOT / FILE).read_text()
line = source[: source.index(RULE)].count("\\n") + 1

def mutant(rule, line=line):
    return Mutant(FILE, FUNCTION, line, "number", RULE, rule, range(line, line + 1), source.replace(RULE, rule, 1))

def proceedings(court):
    def verdict(*change, **more):
        found = court.judge(mutant(*change), 60.0, **more)
        return [found.outcome, found.by.rpartition("::")[2], found.tests]

    wrong = "return g / (out + 1)"  # right where out is 1
    court.result = [
        verdict(wrong),
        verdict(wrong, first="test_sqrt.py::test_the_slope"),
        verdict("return 1 / (out * 2) * g"),
        verdict("return g / (out * 2) * [1 for _ in iter(int, 1)]"),
        verdict(wrong, 10**6),
    ]

court = judge.Court(proceedings, [mutant(RULE)])
assert pytest.main(["-q", "-s", "-p", "no:cacheprovider", "--rootdir", sys.argv[1], sys.argv[1]], plugins=[court]) == 0
print(json.dumps(court.result))
"""

TESTS = """
import minitorch

def test_the_slope_at_1():
    x = minitorch.tensor([1.0], requires_grad=True)
    x.sqrt().backward()
    assert x.grad.item() == 0.5

def test_the_slope():
    x = minitorch.tensor([0.25], requires_grad=True)
    x.sqrt().backward()
    assert x.grad.item() == 1.0
"""


def sources():
    return {file: hashlib.sha256((ROOT / file).read_bytes()).hexdigest() for file in files()}


@pytest.mark.skipif(sys.platform == "win32", reason="mutants are judged in forked processes")
def test_a_mutant_is_killed_by_a_failing_test_or_the_time_out_and_touches_no_file(tmp_path):
    before = sources()
    (tmp_path / "test_sqrt.py").write_text(TESTS)
    command = [sys.executable, "-c", JUDGED, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    wrong, again, equal, endless, unreached = json.loads(ended.stdout.splitlines()[-1])
    assert wrong[:2] == ["killed", "test_the_slope"]
    assert again == ["killed", "test_the_slope", 1]
    assert equal == ["survived", "", 2]
    assert endless[0] == "time-out"
    assert unreached == ["not reached", "", 0]
    assert sources() == before


SOURCE = """
class Double(Op):
    @decorated(1)
    def forward(ctx, a: int | None = 3) -> int | None:
        if a < 0:
            raise ValueError(f"double: {a - 1}" + "not below 0")
        ctx.count = a + a
        return a * 2

def other(a):
    return a + 1
"""


def made(functions):
    pytest.importorskip("cosmic_ray", reason="mutants are made by Cosmic Ray, of the `mutation` extra")
    return [(mutant.before, mutant.after, mutant.kind) for mutant in of_source("double.py", SOURCE, functions)]


def test_operators_numbers_conditions_and_statements_are_mutated_but_no_annotation_decorator_or_text():
    assert sorted(made({"Double.forward"})) == sorted(
        [
            ("ctx, a: int | None=3", "ctx, a: int | None=4", "number"),
            ("ctx, a: int | None=3", "ctx, a: int | None=2", "number"),
            ("a < 0", "not a < 0", "sign or not"),
            ("a < 0", "a >= 0", "comparison"),
            ("a < 0", "a <= 0", "comparison"),
            ("a < 0", "a < 1", "number"),
            ("a < 0", "a < -1", "number"),
            ("raise ValueError(f'double: {a - 1}' + 'not below 0')", "pass", "statement"),
            ("ctx.count = a + a", "pass", "statement"),
            ("a + a", "a - a", "arithmetic"),
            ("a + a", "a * a", "arithmetic"),
            ("a * 2", "a / 2", "arithmetic"),
            ("a * 2", "a + 2", "arithmetic"),
            ("a * 2", "a * 3", "number"),
            ("a * 2", "a * 1", "number"),
        ]
    )


def test_only_the_functions_in_scope_are_mutated():
    assert {before for before, _, _ in made({"other"})} == {"a + 1"}


def test_every_backward_rule_and_what_it_runs_is_in_scope():
    found = files()
    engine = ("node", "op", "backward", "gradients", "hooks", "outputs", "recorded", "changes")
    assert all(found[f"minitorch/autograd/{name}.py"] is None for name in engine)
    assert found["minitorch/ops/linear.py"] == {"Matmul.backward", "Linear.backward", "Linear.forward", "linear"}
    assert found["minitorch/ops/conv.py"] >= {"Conv2d.backward", "ConvWeight.forward"}
    assert "spread" in found["minitorch/ops/im2col.py"]
    assert found["minitorch/ops/images.py"] >= {"Window.reach", "Window.inside_at"}
    for file, functions in found.items():
        places = {name for _, _, name in Layout((ROOT / file).read_text()).places}
        assert functions is None or functions <= places
        if file.startswith("minitorch/ops/"):
            assert {name for name in places if name.endswith(".backward")} <= functions


def test_the_code_that_replaces_a_function_is_that_which_runs_and_no_form_for_type_checkers():
    for file, functions in files().items():
        source = (ROOT / file).read_text()
        names = {name for _, _, name in Layout(source).places} if functions is None else functions
        running = {name: found.__code__ for name in names if hasattr(found := live(module_of(file), name), "__code__")}
        assert all(code_of(source, file, name).co_code == code.co_code for name, code in running.items()), file
    assert "where" in files()["minitorch/ops/choice.py"], "it has forms for type checkers"


def test_a_change_that_compiles_to_the_same_is_no_mutant():
    assert content("x = 1 + a") == content("x = (1 + a)  # the same")
    assert content("x = 1 + a") != content("x = 2 + a")
    assert content("x = 1 + a") != content("x = 1.0 + a")
    assert content("x = 1 +") is None
    assert content("x = a.reshape(-1, 2)") == content("x = a.reshape(-2, 2)")
    assert content("x = a.reshape(-1, 2)") != content("x = a.reshape(-0, 2)")
    assert content("x = a.sum(-1)") != content("x = a.sum(-2)")


def test_a_test_that_runs_the_statement_of_a_mutant_can_see_it():
    layout = Layout(
        "A = 1\n\ndef f(a=(\n    1\n)):\n    if a:\n        return g(\n            a,\n            2,\n        )\n    return 0\n"
    )
    assert layout.reach_of(8) == range(7, 11)
    assert layout.reach_of(6) == range(6, 7)
    assert layout.reach_of(4) == range(3, 12)  # a default: whatever calls the function
    assert layout.reach_of(1) == range(1, 12)  # a constant: whatever runs the file
    assert [layout.function_at((line, 0)) for line in (1, 4, 9)] == ["", "f", "f"]


def test_a_run_passes_if_enough_are_killed_and_each_survivor_is_explained(monkeypatch):
    monkeypatch.setattr("tests.mutation.document.EXPLAINED", {("a.py", "f", "x > 0", "x >= 0"): "x is never 0."})

    def found(killed, *after):
        mutants = [Mutant("a.py", "f", 1, "number", "x", f"{i}", range(1, 2), "") for i in range(killed)]
        alive = [Mutant("a.py", "f", 7, "comparison", "x > 0", change, range(7, 8), "") for change in after]
        return [(m, Verdict("killed", "test_x", 1)) for m in mutants] + [(m, Verdict("survived")) for m in alive]

    assert passes(found(19, "x >= 0")) and not passes(found(18, "x >= 0")) and not passes(found(99, "x <= 0"))
    page = document(found(18, "x >= 0", "x <= 0"), "python -m tests.mutation", 6.0, 3.0)
    assert "20 mutants, 90.0% killed; 2 survived, 1 of these explained." in page
    assert "- line 7, `f`: `x > 0` became `x >= 0`. x is never 0." in page
    assert "- line 7, `f`: `x > 0` became `x <= 0`. **Not explained.**" in page
    assert "| a.py | 20 | 18 | 0 | 2 | 90.0% |" in page and "| comparison | 2 | 0 | 0 | 2 | 0.0% |" in page


HEAD = "def f(a, b):\n"


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("    return a + b\n", "    return a - b\n", ("a + b", "a - b")),
        ("    return (a +\n            b)\n", "    return (a -\n            b)\n", ("a + b", "a - b")),
        ("    return g(a, 1)\n", "    return g(a, 2)\n", ("g(a, 1)", "g(a, 2)")),
        ("    return a * (b > 0)\n", "    return a * (b >= 0)\n", ("b > 0", "b >= 0")),
        ("    return g(a > 0) + (a > 0)\n", "    return g(a >= 0) + (a > 0)\n", ("g(a > 0)", "g(a >= 0)")),
        ("    a.x = b\n    a.x = b\n    return a\n", "    pass\n    a.x = b\n    return a\n", None),
        ("    a.x = b\n    return a\n", "    pass\n    return a\n", ("a.x = b", "pass")),
    ],
)
def test_a_change_is_told_by_the_least_code_that_the_function_has_once(before, after, said):
    found = change(ast.parse(HEAD + before), HEAD + after, "f")
    assert found == (said or tuple(ast.unparse(ast.parse(HEAD + body)) for body in (before, after)))
    moved = "\n\nx = 1\n\n" + HEAD
    assert change(ast.parse(moved + before), moved + after, "f") == found, "it does not depend on where the function stands"


def test_what_differs_from_a_commit_is_told_function_by_function():
    before = (
        "A = 1\ndef f(a):\n    return a\nclass C:\n    def g(self):\n        return 1\n    def h(self):\n        return 2\n"
    )
    assert differing("\n\n" + before.replace("return a", "return (a)  # the same"), before) == set()
    assert differing(before.replace("return a", "return -a"), before) == {"f"}
    assert differing(before.replace("return 2", "return 3"), before) == {"C", "C.h"}
    assert differing(before.replace("A = 1", "A = 2"), before) == {""}
    assert differing(before, "") == {"", "f", "C", "C.g", "C.h"}


def test_a_verdict_is_kept_until_the_test_that_killed_changes_or_where_it_survived_any(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.mutation.__main__.ROOT", tmp_path)
    tests = [tmp_path / "test_a.py", tmp_path / "test_b.py"]
    for file in tests:
        file.write_text("")
    kept = tmp_path / "kept.jsonl"

    def version():
        return Version([file.name for file in tests], 6.0)

    found = {"k": Verdict("killed", "test_a.py::test_x", 3), "s": Verdict("survived", "", 4)}
    entries = [{"name": f"name of {d}", "digest": d, "version": version().of(v), **asdict(v)} for d, v in found.items()]
    kept.write_text("\n".join([*map(json.dumps, entries), '{"name": "cut sho']))
    assert verdicts(kept, version()) == (found, {"name of k": "test_a.py::test_x", "name of s": ""})
    tests[1].write_text("# changed")
    assert verdicts(kept, version())[0] == {"k": found["k"]}
    tests[0].write_text("# changed")
    assert verdicts(kept, version())[0] == {} and verdicts(kept, version())[1]["name of k"] == "test_a.py::test_x"
    assert verdicts(tmp_path / "none.jsonl", version()) == ({}, {})


def test_the_command_needs_no_path_set_by_hand():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "--help"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "--write" in ran.stdout
