"""The report of correctness: `python -m tests.figures` at small sizes, and that each of its figures can miss its bound."""

import math
import os

import numpy as np
import pytest

from tests import op_table
from tests.figures import damage, gradients, importing, killed, memory, parity, same_seed
from tests.figures.__main__ import FULL, QUICK, main
from tests.figures.figure import Figure, all_of, at_most, table
from tests.op_table.row import Row, case, spread

KEPT = Figure("a", "1", "0", "2 cases", 0, True)


# ---- the table and the command -------------------------------------------------------------------------------------------


def test_a_bound_is_kept_up_to_itself_and_never_by_nan():
    assert at_most("error", 1e-10, 1e-10, "", 0).kept
    assert not at_most("error", 1e-10, 1.1e-10, "", 0).kept
    assert not at_most("error", 1e-10, math.nan, "", 0).kept


def test_a_count_is_complete_only_if_there_is_something_to_count():
    assert all_of("runs", 6, 6, "", 0).kept
    assert not all_of("runs", 6, 5, "", 0).kept
    assert not all_of("runs", 0, 0, "", 0).kept


def test_a_missed_bound_is_seen_in_the_table():
    missed = Figure("b", "1", "2", "2 cases", None, False)
    assert table([KEPT, missed]).splitlines()[2:] == [
        "| a | 1 | 0 | 2 cases | 0 | kept |",
        "| b | 1 | 2 | 2 cases |  | **missed** |",
    ]


@pytest.mark.parametrize("kept, status", [(True, 0), (None, 0), (False, 1)])
def test_the_command_prints_and_records_the_table_and_its_status_says_whether_a_bound_was_missed(
    kept, status, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(QUICK, "memory", lambda: [Figure("a figure", "1", "2", "3 cases", 0, kept)])
    assert main(["--quick", "--only", "memory", "--write", str(tmp_path / "figures.md")]) == status
    printed, text = capsys.readouterr().out, (tmp_path / "figures.md").read_text()
    assert printed.strip() == text.strip()
    assert "| a figure | 1 | 2 | 3 cases | 0 |" in text
    for said in ("`python -m tests.figures --quick --only memory`", f"NumPy {np.__version__}", "BLAS: "):
        assert said in text


def test_both_sizes_measure_the_same_subjects():
    assert list(FULL) == list(QUICK)


# ---- gradients -----------------------------------------------------------------------------------------------------------


def test_the_families_have_every_row_of_the_table():
    rows = [row.name for family in gradients.families().values() for row in family]
    assert sorted(rows) == sorted(row.name for row in op_table.ROWS)


def test_the_gradients_of_a_family_keep_their_bound():
    figures = list(gradients.figures({"conv": gradients.families()["conv"]}))
    assert [figure.kept for figure in figures] == [True]


@pytest.mark.parametrize("analytic", [True, False])
def test_a_wrong_gradient_is_seen_and_named(analytic):
    right = Row("right", lambda x: x * x, np.square, [case(spread(3))], analytic=analytic)
    wrong = Row("wrong", lambda x: x * x.detach(), np.square, [case(spread(3))], analytic=analytic)
    (figure,) = gradients.figures({"mine": [right, wrong]})
    assert not figure.kept and "wrong, order" in figure.measured


# ---- memory --------------------------------------------------------------------------------------------------------------


def test_1000_training_steps_leave_nothing_alive_and_memory_flat():
    for figure in memory.figures(1000, warm_up=1500):
        assert figure.kept is not False, figure


# ---- seeds ---------------------------------------------------------------------------------------------------------------


def test_both_back_ends_give_the_same_runs_bit_for_bit():
    (figure,) = same_seed.figures(["weight_sharing"], runs=1, epochs=1, jobs=[2])
    assert figure.kept, figure


def test_a_run_that_differs_in_one_bit_is_seen(monkeypatch):
    said = iter(['{"net": [{"loss": 1.0}, {"loss": 0.5}]}', '{"net": [{"loss": 1.0000000000000002}, {"loss": 0.5}]}'])
    monkeypatch.setattr(same_seed, "python", lambda *arguments: type("Done", (), {"stdout": next(said)}))
    (figure,) = same_seed.figures(["weight_sharing"], runs=1, epochs=1, jobs=[2])
    assert (figure.bound, figure.measured, figure.kept) == ("all 2", "1", False)


# ---- imports -------------------------------------------------------------------------------------------------------------


def test_importing_brings_in_numpy_alone():
    numpy, ours, others = importing.fresh_import()
    assert numpy > 0 and ours > 0 and others == []


# ---- damaged files -------------------------------------------------------------------------------------------------------


def test_the_figures_of_damage_count_every_copy():
    assert [(figure.measured, figure.kept) for figure in damage.figures(40)] == [("20", True), ("20", True)]


def test_readers_that_take_anything_miss_the_bound_and_the_figures_say_which_copy_they_took(monkeypatch):
    monkeypatch.setattr("minitorch.data.mnist._verify", lambda digest, name, source: None)
    monkeypatch.setattr("minitorch.files.serialization._check", lambda digest, raw, name: None)
    for figure in damage.figures(400):
        assert not figure.kept
        assert "was accepted with another content" in figure.measured


def test_readers_that_fail_at_a_damaged_file_miss_the_bound(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("at fault")

    monkeypatch.setattr("minitorch.files.serialization._check", fail)
    digits, checkpoints = damage.figures(40)
    assert digits.kept
    assert (checkpoints.measured, checkpoints.kept) == ("RuntimeError: at fault", False)


# ---- what may be missing -------------------------------------------------------------------------------------------------


def test_without_pytorch_the_comparison_is_not_run_and_no_bound_is_missed(monkeypatch):
    monkeypatch.setattr(parity, "torch", None)
    (figure,) = parity.figures()
    assert figure.measured == "not run: PyTorch is not installed" and figure.kept is None


@pytest.mark.skipif(os.name != "posix", reason="jobs are killed by SIGKILL, which needs POSIX")
@pytest.mark.parametrize("status, kept", [(0, True), (1, False)])
def test_killed_jobs_are_judged_by_the_exit_status_of_their_own_command(status, kept, monkeypatch):
    done = type("Done", (), {"returncode": status, "stdout": "a line\n200 of 200 resumed\n", "stderr": ""})
    monkeypatch.setattr(killed, "python", lambda *arguments, check: done)
    (figure,) = killed.figures(200)
    assert (figure.measured, figure.kept) == ("200 of 200 resumed", kept)
