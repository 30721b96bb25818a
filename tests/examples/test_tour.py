"""The tour: each chapter runs with its stubs, each exercise accepts its solution and says what is wrong with a wrong answer."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

import minitorch
from minitorch.autograd import grad

TOUR = Path(__file__).parents[2] / "examples" / "tour"
CHAPTERS = sorted(path.name for path in TOUR.glob("[0-9]*.py"))
FIGURES = {"01_order.py": ["01_order.png"], "03_broadcasting.py": ["03_broadcasting.html", "03_broadcasting.png"]}
FIGURES |= {name: [name.replace(".py", ".png")] for name in ("05_convolution.py", "08_is_it_right.py")}


@pytest.fixture
def exercises(monkeypatch):
    monkeypatch.syspath_prepend(str(TOUR))
    yield importlib.import_module("exercises")
    sys.modules.pop("exercises")


def test_there_are_ten_chapters_and_each_fits_on_a_few_screens():
    assert len(CHAPTERS) == 10
    assert all(len((TOUR / name).read_text().splitlines()) <= 110 for name in CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_draws_its_figure_and_waits_for_the_exercise(name, exercises, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    runpy.run_path(str(TOUR / name), run_name="__main__")
    for figure in FIGURES.get(name, [name.replace(".py", ".html")]):
        assert (tmp_path / "results" / "tour" / figure).stat().st_size > 1000
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("exercise: ")]
    assert said
    if name == "02_accumulation.py":  # its exercise is a bug to find, not a stub
        assert said == ["exercise: step 2 ends at w = 0.5600, it should be 0.3600: which gradients did this step use?"]
    else:
        assert all("not written yet" in line for line in said)


# ---- chapter 0 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(exercises, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return SimpleNamespace(**runpy.run_path(str(TOUR / "00_engine.py")))


def by_sorting(y, ops=None):
    """The solution: no heap, the operations below `y` from the last made to the first."""
    found, waiting = set(), [y.made_by]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [x.made_by for x in op.inputs if x.made_by is not None]
    arrived = {y.made_by: np.ones_like(y.array)}
    for op in sorted(found, key=lambda op: -op.number):
        for x, gradient in zip(op.inputs, op.backward(arrived.pop(op))):
            if x.made_by is None:
                x.grad = gradient if x.grad is None else x.grad + gradient
            else:
                arrived[x.made_by] = arrived.get(x.made_by, 0) + gradient


def replacing(y):
    """A mistake: what arrives second replaces what arrived first."""
    waiting = [(y.made_by, np.ones_like(y.array))]
    while waiting:
        op, g = waiting.pop()
        for x, gradient in zip(op.inputs, op.backward(g)):
            if x.made_by is None:
                x.grad = gradient
            else:
                waiting.append((x.made_by, gradient))


def test_chapter_0_accepts_its_own_loop_and_one_by_sorting(exercises, engine):
    assert exercises.check_engine(engine.backward, engine.Tensor) == "right on 200 random programs"
    assert exercises.check_engine(by_sorting, engine.Tensor) == "right on 200 random programs"


def test_chapter_0_tells_which_gradient_is_wrong(exercises, engine):
    assert exercises.check_engine(replacing, engine.Tensor).startswith("program ")


# ---- chapters 1, 2, 7, 8, 9 ----------------------------------------------------------------------------------------------


def test_chapter_1_knows_the_order_of_the_rules(exercises, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    program = runpy.run_path(str(TOUR / "01_order.py"))["program"]
    assert exercises.check_orders(program, ["t", "s", "r", "q", "p"]) == exercises.RIGHT
    assert "rule 2 is not that of 'p'" in exercises.check_orders(program, ["t", "p", "s", "r", "q"])
    assert "5 rules run, you named 6" in exercises.check_orders(program, ["t", "s", "r", "q", "p", "u"])


def test_chapter_2_accepts_a_loop_that_clears_the_gradient(exercises):
    def descend(w, steps):
        path = []
        for _ in range(steps):
            w.grad = None
            ((w - 1) ** 2).backward()
            with minitorch.no_grad():
                w -= 0.1 * w.grad
            path.append(w.item())
        return path

    assert exercises.check_training_loop(descend) == exercises.RIGHT


def test_chapter_7_measures_the_balance(exercises):
    terms = [np.full(4, 3.0), np.full(4, 0.5), np.full(4, 1.0)]
    assert exercises.check_balance(2.0, terms) == exercises.RIGHT
    assert (
        exercises.check_balance(1.0, terms)
        == "with this alpha the norm of the auxiliary part is 0.5 times that of the comparison"
    )


def test_chapter_8_wants_a_function_that_is_smooth_and_not_analytic(exercises):
    assert exercises.check_not_analytic(lambda x: np.real(x) ** 2).startswith(exercises.RIGHT)
    assert exercises.check_not_analytic(lambda x: x * x) == "both say 2: this function is analytic at 1"
    assert "do not agree" in exercises.check_not_analytic(lambda x: np.sqrt(np.abs(x - 1)) * np.sign(np.real(x) - 1))


def test_chapter_9_accepts_a_recorded_penalty_alone(exercises):
    def penalty(w, x, recorded=True):
        (slope,) = grad((w * x * x).sum(), x, create_graph=recorded)
        return (slope * slope).sum()

    assert exercises.check_penalty(penalty) == exercises.RIGHT
    assert "no history" in exercises.check_penalty(lambda w, x: penalty(w, x, recorded=False))
    assert "the penalty is 40" in exercises.check_penalty(lambda w, x: penalty(w, x) + 1)


# ---- notebooks -----------------------------------------------------------------------------------------------------------


def test_the_chapters_as_notebooks_run(tmp_path):
    subprocess.run([sys.executable, TOUR / "notebooks.py", tmp_path], check=True)
    notebooks = sorted(tmp_path.glob("*.ipynb"))
    assert [path.stem for path in notebooks] == [name.removesuffix(".py") for name in CHAPTERS]
    cells = json.loads(notebooks[2].read_text())["cells"]
    assert {cell["cell_type"] for cell in cells} == {"code", "markdown"}
    code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "exercise: " in done.stdout
