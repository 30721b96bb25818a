"""Searches: no point is evaluated twice, none sees a test digit, and the table shows where the report's own choice ranks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from weight_sharing import GRID_SEARCH, REPORT, TUNED, candidate

from minitorch.data import Digits, load_digits
from runner import Job, main
from runner.search import evaluations, ranking, validation_sets

SMALL = ["--data", "digits", "--study", "grid-search", "--quick", "--epochs", "1", "--jobs", "1"]


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits("digits")


def counted(point: dict, folder: Path, repeat: int) -> dict:
    """An evaluation that leaves a file each time it is done."""
    place = folder / f"{point['x']}-{repeat}-{len(list(folder.iterdir()))}"
    place.write_text("")
    return {"accuracy": 10.0 * point["x"] + repeat}


def test_a_point_met_before_is_not_evaluated_again(digits, tmp_path):
    done = tmp_path / "done"
    done.mkdir()

    def search(job: Job, values: list[int]) -> list[dict]:
        return evaluations(job, [{"x": x} for x in values], counted, lambda repeat: (done, repeat), repeats=2)

    with Job(digits, {"seed": 0}, tmp_path / "job") as job:
        found = search(job, [1, 2, 1])
        assert len(list(done.iterdir())) == 4
        search(job, [2, 3])
    assert [[run["accuracy"] for run in one["runs"]] for one in found] == [[10, 11], [20, 21], [10, 11]]
    assert len(list(done.iterdir())) == 6
    with Job(digits, {"seed": 0}, tmp_path / "job", resume=True) as job:
        again = search(job, [1, 2, 3])
    assert [one["point"] for one in again] == [{"x": 1}, {"x": 2}, {"x": 3}]
    assert len(list(done.iterdir())) == 6


@pytest.mark.parametrize(("n", "share"), [(1000, 0.2), (2000, 0.5)])
def test_validation_pairs_hold_training_digits_that_are_not_trained_on(digits, n, share):
    train, validation = validation_sets(digits, n, share, rng=np.random.default_rng(0))
    assert len(validation.targets) == share * n and len(train.targets) == n - share * n

    def images(array: np.ndarray) -> set[bytes]:
        return {image.tobytes() for image in array.reshape(-1, 14, 14)}

    known = images(digits.train_images)
    assert images(train.inputs) | images(validation.inputs) <= known
    assert not images(train.inputs) & images(validation.inputs)


def test_a_point_changes_the_recipe_of_its_net_alone():
    point = {"net": "Weight sharing + auxiliary loss", "eta1": 0.03, "eta2": 1e-4, "alpha": 2.25, "gamma": 0.5}
    net = candidate(point)
    assert net.options == {"eta1": 0.03, "eta2": 1e-4, "alpha": 2.25, "gamma": 0.5}
    assert net.parameters() == 103_128
    assert candidate({"net": "ConvNet", "eta1": 0.03, "eta2": 1e-4}).options == {"alpha": 0, "eta1": 0.03, "eta2": 1e-4}


def test_the_grid_lies_around_what_the_report_settled_on():
    assert len(GRID_SEARCH.points) == 2 * 9 + 54
    assert all(point in GRID_SEARCH.points for point in GRID_SEARCH.reported)
    for name, value in TUNED.items():
        tried = {point[name] for point in GRID_SEARCH.points if name in point}
        assert min(tried) < value <= max(tried)


def test_the_grid_search_writes_its_ranking_and_figure_and_goes_on_where_it_was(tmp_path):
    main(REPORT, [*SMALL, "--out", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text())
    assert len(results["evaluations"]) == 2 * 2 + 8
    accuracies = [one["accuracy"]["mean"] for one in results["evaluations"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert (tmp_path / "grid_search.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "table.md").read_text()
    assert text.count("the report |") == 3
    assert "Not MNIST" in text

    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "tasks").iterdir()}
    (tmp_path / "table.md").unlink()
    main(REPORT, [*SMALL, "--out", str(tmp_path), "--resume"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tasks").iterdir()} == written
    assert (tmp_path / "table.md").read_text() == text


def test_the_table_lists_the_best_of_each_group_and_the_reported_point_wherever_it_ranks(digits, tmp_path):
    spread = {"std": None, "min": 0.0, "max": 0.0}
    tried = [
        {
            "point": {"net": net, "eta": eta},
            "parameters": 1,
            "accuracy": {"mean": 90.0 - eta, **spread},
            "seconds": 60.0,
            "reported": net == "b" and eta == 7,
        }
        for eta in range(9)
        for net in "ab"
    ]
    frame = {
        "report": "001",
        "title": "",
        "notes": "",
        "settings": {"runs": 1, "epochs": 1, "seed": 0},
        "data": {"name": "", "note": "", "comparable": True},
    }
    rows = [line.split("|")[1].strip() for line in ranking({**frame, "by": "net", "evaluations": tried}).splitlines()[6:]]
    assert rows == [f"{place} of 9" for place in range(1, 6)] * 2 + ["8 of 9, the report"]


def test_a_search_has_runs_and_epochs_of_its_own(tmp_path):
    report = replace(REPORT, studies={"one": replace(GRID_SEARCH, quick_points=GRID_SEARCH.quick_points[:1], quick_epochs=2)})
    main(report, ["--data", "digits", "--study", "one", "--quick", "--jobs", "1", "--out", str(tmp_path)])
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["runs"], settings["epochs"]) == (1, 2)
