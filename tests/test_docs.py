"""Pages that are made of the code: docs/coverage.md lists the names there are, the README keeps to its size."""

import ast
import gzip
import importlib.util
import json
import re
import textwrap
from pathlib import Path

import pytest
import weight_sharing

import minitorch as mt
from minitorch.data import load_digits

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_list_of_names_is_true():
    spec = importlib.util.spec_from_file_location("coverage_page", ROOT / "docs" / "coverage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == module.page(), "run python docs/coverage.py"


def test_functions_that_the_page_of_differences_calls_missing_are_missing():
    row = next(line for line in (ROOT / "docs/differences.md").read_text().splitlines() if line.startswith("| rarely used"))
    named = [name for name in re.findall(r"`(\w+)`", row.split("Poisson")[0]) if name not in ("2d",)]
    assert len(named) > 30
    assert not [name for name in named if hasattr(mt, name) or hasattr(mt.functional, name)]


def test_the_architecture_counts_the_rules_that_have_a_form_for_arrays():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "minitorch/ops").glob("*.py")]
    kinds = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "Flat"]
    rules = [rule for kind in kinds for rule in kind.body if isinstance(rule, ast.FunctionDef) and rule.name == "backward"]
    branches = [rule for rule in rules if re.search(r"isinstance\(\w+, Tensor\)", ast.unparse(rule))]
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    said = re.search(r"(\w+) rules have a cheaper form for arrays", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    assert words.index(said[1].lower()) + 1 == len(branches)


def test_the_readme_has_at_most_900_words_without_code():
    text = re.sub(r"```.*?```", "", README, flags=re.S)
    assert len(text.split()) <= 900


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links and all((ROOT / link).exists() for link in links)


def code(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_readme_shows_code_that_there_is():
    first, _, sqrt = code("python")
    shown = [line.strip() for line in first.splitlines() if line.strip()]
    source = [line.strip() for line in (ROOT / "examples/first.py").read_text(encoding="utf-8").splitlines()]
    assert [line for line in source if line in shown] == shown and f"`examples/first.py` has {len(source)} lines" in README
    bare = re.sub(r": Any| -> Any", "", (ROOT / "minitorch/ops/elementwise.py").read_text(encoding="utf-8"))
    assert sqrt in bare and textwrap.indent(sqrt, "    ") in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in ("vae", "gan", "lstm", "gpt"):
        assert len((ROOT / f"examples/{name}.py").read_text(encoding="utf-8").splitlines()) < 120


def test_the_readme_has_the_figures_of_the_recorded_runs():
    results = json.loads(gzip.decompress((ROOT / "docs/results/weight_sharing/results.json.gz").read_bytes()))
    assert results["data"]["name"] == "MNIST" and {"runs": 15, "epochs": 50, "seed": 0}.items() <= results["settings"].items()
    for net in results["nets"]:
        figures = " | ".join(
            f"{one['accuracy']['mean']:.2f} ± {one['accuracy']['std']:.2f}" for one in (net["reported"], net["attained"])
        )
        assert f"| {net['name']} | {net['parameters']:,} | {figures} |" in README
    speed = (ROOT / "docs/speed/speed.md").read_text(encoding="utf-8")
    ratio = float(
        re.search(r"step of 001 Weight sharing \+ auxiliary loss / PyTorch's, 1 thread each \| [\d.]+ \| ([\d.]+)", speed)[1]
    )
    assert f"took {ratio:.2f} of PyTorch's time" in README.replace("\n", " ")


def test_the_readme_counts_rightly(capsys):
    report, digits = weight_sharing.REPORT, load_digits("digits")
    assert (len(report.nets), report.runs, report.epochs) == (3, 15, 50)
    assert len(digits.train_labels) + len(digits.test_labels) == 1797
    chapters = sorted((ROOT / "examples/tour").glob("[0-9]*.py"))
    assert len(chapters) == 10
    engine = chapters[0].read_text(encoding="utf-8").split("# %%")[2]
    assert len([line for line in engine.splitlines()[1:] if line.strip()]) <= 60
    assert mt.full((1_000_000, 3), 0.1).mean(0).numpy() == pytest.approx([0.1] * 3, rel=1e-6)
    help(mt.tanh)
    assert "g (1 - tanh^2 a)" in capsys.readouterr().out[-80:]


def test_the_readme_names_extras_and_programs_that_there_are():
    extras = (ROOT / "setup.py").read_text(encoding="utf-8")
    named = {extra for group in re.findall(r"'\.\[([a-z0-9,]+)\]'", README) for extra in group.split(",")} | {"cuda13"}
    assert named >= {"examples", "tests", "onnx", "benchmarks", "cuda12"} and all(f'"{name}": ' in extras for name in named)
    for module in re.findall(r"python -m ([a-z_.]+)", README.replace("\n", " ")):
        assert importlib.util.find_spec(module), module
    for path in re.findall(r"`((?:tests|minitorch|examples)/[a-z_/]+(?:\.py|/)?)`", README):
        assert (ROOT / path).exists(), path
