"""The examples' shared library: jobs that can be killed, repeated and spread over processes without a figure changing."""

import json
import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import fully_connected
import numpy as np
import pytest

import minitorch
from minitorch.data import draw_pairs, load_digits
from runner import Job, Task
from runner.job import FolderTaken
from runner.results import plus_minus, spread

ROOT = Path(__file__).parents[2]
SMALL = ["--data", "digits", "--runs", "2", "--epochs", "2"]


def command(out: Path, *more: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples/weight_sharing.py"), *SMALL, "--out", str(out), *more]


def run(out: Path, *more: str) -> dict:
    done = subprocess.run(command(out, *more), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return figures(out)


def figures(out: Path) -> dict:
    """The results without what a clock says."""
    results = json.loads((out / "results.json").read_text())
    del results["seconds"]
    for net in results["nets"]:
        for one in net["runs"]:
            del one["seconds"]
    return results


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("uninterrupted")
    return out, run(out, "--jobs", "1")


def test_a_job_writes_its_results_table_and_figures(uninterrupted):
    out, results = uninterrupted
    assert [net["parameters"] for net in results["nets"]] == [91_406, 103_128, 103_128]
    for net in results["nets"]:
        assert len(net["runs"]) == 2
        for one in net["runs"]:
            assert all(len(one[name]) == 2 for name in ("train_loss", "train_error", "test_loss", "test_error"))
            assert one["accuracy"] == 100 - one["test_error"][-1]
    assert results["nets"][0]["runs"][0]["seed"] != results["nets"][0]["runs"][1]["seed"]
    assert {"numpy", "python", "minitorch", "blas", "machine"} <= set(results["versions"])
    for name in ("learning_curves.png", "boxplot.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")


def test_digits_that_are_not_mnist_are_announced_and_never_set_beside_the_reported_figures(uninterrupted):
    out, results = uninterrupted
    text = (out / "table.md").read_text()
    assert "Not MNIST" in text
    assert "reported |" not in text
    assert not results["data"]["comparable"]
    assert all(net["reported"] == {} for net in results["nets"])


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_two_processes_give_the_same_figures_bit_for_bit(backend, uninterrupted, tmp_path):
    assert run(tmp_path, "--jobs", "2", "--backend", backend) == uninterrupted[1]


def test_another_seed_gives_other_figures(uninterrupted, tmp_path):
    assert run(tmp_path, "--seed", "1")["nets"] != uninterrupted[1]["nets"]


def test_an_interrupted_job_says_how_to_go_on(tmp_path, interruptible):
    with subprocess.Popen(
        command(tmp_path, "--jobs", "1", "--epochs", "200"), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        end = time.monotonic() + 120
        while not (tmp_path / "tasks/settings.json").exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; what was finished is kept in" in errors
    assert "--resume" in errors


def test_other_settings_are_refused_with_the_difference_and_the_three_ways_on(uninterrupted):
    out, _ = uninterrupted
    for more in ([], ["--resume"]):
        done = subprocess.run(command(out, "--epochs", "3", *more), cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 2
        assert "epochs: 2 -> 3" in done.stderr
        assert all(way in done.stderr for way in ("--resume", "another --out", "--overwrite"))
        assert (out / "results.json").exists()


def test_a_finished_task_is_read_back_and_not_computed_again(tmp_path):
    digits, settings = load_digits("digits"), {"seed": 0}
    with Job(digits, settings, tmp_path) as first:
        assert first.do([Task("a", dict, lambda: ({"value": 1.5},))])["a"]["value"] == 1.5
    with Job(digits, settings, tmp_path, resume=True) as again:
        assert again.do([Task("a", _never, tuple)])["a"]["value"] == 1.5
    with pytest.raises(FolderTaken, match="seed: 0 -> 1"):
        Job(digits, {"seed": 1}, tmp_path, resume=True)
    with Job(digits, settings, tmp_path, overwrite=True) as anew:
        assert anew.do([Task("a", dict, lambda: ({"value": 2.5},))])["a"]["value"] == 2.5


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_is_computed_by_one_thread(tmp_path, jobs):
    before = minitorch.get_num_threads()
    minitorch.set_num_threads(3)
    try:
        with Job(load_digits("digits"), {}, tmp_path, jobs=jobs) as job:
            found = job.do([Task(key, _threads, tuple) for key in "ab"])
        assert [result["threads"] for result in found.values()] == [1, 1]
        assert minitorch.get_num_threads() == 3, "the caller's own are as before"
    finally:
        minitorch.set_num_threads(before)


def _threads() -> dict:
    return {"threads": minitorch.get_num_threads()}


def _never() -> dict:
    raise AssertionError("computed again")


def test_the_time_a_job_took_counts_what_it_took_before_it_was_stopped(tmp_path):
    digits = load_digits("digits")
    with Job(digits, {}, tmp_path) as first:
        first.do([Task("a", _slow, tuple)])
        assert first.seconds() >= 0.2
    with Job(digits, {}, tmp_path, resume=True) as resumed:
        resumed.do([Task("a", _never, tuple), Task("b", _slow, tuple)])
        assert resumed.seconds() >= 0.4
    with Job(digits, {}, tmp_path, resume=True) as shown:
        shown.do([Task("a", _never, tuple), Task("b", _never, tuple)])
        assert shown.seconds() == resumed.seconds(), "what is only read back takes no time of the job's"
    with Job(digits, {}, tmp_path, overwrite=True) as anew:
        assert anew.seconds() == 0


def _slow() -> dict:
    time.sleep(0.2)
    return {}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy on overflow
@pytest.mark.parametrize("rate", [1e6, 1e30])
def test_a_run_that_diverges_ends_there_with_nothing_right(rate):
    net = next(net for net in fully_connected.NETS if net.name == "LeNet5 + auxiliary loss")
    net = replace(net, options={**net.options, "optimizer": "SGD", "rate": rate})
    digits, rng = load_digits("digits"), minitorch.manual_seed(0).numpy
    pairs = draw_pairs(digits.train_images, digits.train_labels, 200, rng=rng)
    history = fully_connected.train(net, pairs, pairs, 4, "cpu")
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(history, 4)
    assert history["test_error"][-1] == history["train_error"][-1] == 100
    assert math.isnan(history["train_loss"][-1]) and math.isnan(history["test_loss"][-1])


def test_a_figure_that_is_not_a_number_is_kept_as_none_and_numpys_as_pythons(tmp_path):
    losses = [1.0, float("nan"), np.float32(0.5), np.float32("inf"), np.int64(3)]
    with Job(load_digits("digits"), {}, tmp_path) as job:
        assert job.do([Task("a", dict, lambda: ({"loss": losses},))])["a"]["loss"] == [1.0, None, 0.5, None, 3]


def test_two_tasks_of_one_key_are_refused(tmp_path):
    tasks = [Task("net / run 000", dict, lambda value=value: ({"value": value},)) for value in (1.5, 2.5)]
    with (
        Job(load_digits("digits"), {}, tmp_path) as job,
        pytest.raises(ValueError, match="two tasks are called 'net / run 000'"),
    ):
        job.do(tasks)


def test_spread_is_the_sample_standard_deviation():
    expected = {"mean": pytest.approx(7 / 3), "std": pytest.approx((7 / 3) ** 0.5), "min": 1.0, "max": 4.0}
    assert spread([1.0, 2.0, 4.0]) == expected
    assert spread([1.0])["std"] is None
    assert plus_minus({"mean": 81.366, "std": 1.371}) == "81.37 ± 1.37"
