"""A job's folder belongs to one job at a time, and nothing in it is lost, mixed up or used unchecked."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import weight_sharing

from minitorch.data import load_digits
from runner import Job, Task, console, kept, main
from runner.command import parse
from runner.job import FolderTaken
from runner.lock import FolderInUse, FolderLock
from runner.processes import WorkersDie, outcomes

ROOT = Path(__file__).parents[2]
SMALL = ["--quick", "--data", "digits", "--runs", "2", "--epochs", "1", "--jobs", "1"]
SCRIPT = [sys.executable, str(ROOT / "examples/weight_sharing.py")]
DIGITS = load_digits("digits")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups as POSIX has them")


def start(out: Path, *more: str, **options) -> subprocess.Popen:
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*SCRIPT, *SMALL, "--out", str(out), *more], cwd=ROOT, start_new_session=True, **said | options)


def value(number: float) -> dict:
    return {"value": number}


def tasks(*numbers: float) -> list[Task]:
    return [Task(f"task {number}", value, lambda number=number: (number,)) for number in numbers]


def job(folder: Path, **options) -> Job:
    return Job(DIGITS, {"seed": 0, **options.pop("settings", {})}, folder, **options)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- one job at a time ---------------------------------------------------------------------------------------------------


def test_a_folder_in_use_is_refused_with_the_process_and_host_that_use_it(tmp_path):
    with job(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()} on host {os.uname().nodename}"):
        job(tmp_path, resume=True)
    job(tmp_path, resume=True).close()


@posix
def test_a_forked_process_neither_holds_nor_frees_the_lock(tmp_path):
    fork = multiprocessing.get_context("fork")
    lives = fork.Event()
    with job(tmp_path):
        child = fork.Process(target=lambda: (lives.set(), time.sleep(60)))
        child.start()
        assert lives.wait(60)
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path)
    FolderLock(tmp_path).release()
    child.kill()
    child.join()


def test_a_job_that_cannot_start_leaves_the_folder_free(tmp_path):
    (tmp_path / "table.md").write_text("mine")
    for _ in range(2):
        with pytest.raises(FolderTaken, match=r"holds table\.md, which no job wrote"):
            job(tmp_path)


def test_the_same_script_started_many_times_at_once_loses_no_run_and_mixes_none(tmp_path):
    starts, rng = [], random.Random(0)
    for _ in range(int(os.environ.get("MINITORCH_STARTS", "4"))):  # the nightly tests make 50
        seed = rng.choice("12")
        starts.append((seed, start(tmp_path / "out", "--seed", seed, rng.choice(["--resume", "--quick"]))))
        time.sleep(rng.uniform(0, 1.5))
    ended = [(seed, each, *each.communicate(timeout=1800)) for seed, each in starts]
    assert 0 in [each.returncode for _, each, _, _ in ended]
    for _, each, _, errors in ended:
        assert each.returncode in (0, 2) and "Traceback" not in errors
        assert each.returncode == 0 or "is in use" in errors or "other settings" in errors
    results = json.loads((tmp_path / "out/results.json").read_text())
    winner = results["settings"]["seed"]
    assert {seed for seed, each, _, _ in ended if each.returncode == 0} == {str(winner)}
    with job(tmp_path / "other", settings={"seed": winner}) as other:
        for net in results["nets"]:
            assert [run["seed"] for run in net["runs"]] == [other.seed(run) for run in range(2)]


# ---- nothing is deleted unasked ------------------------------------------------------------------------------------------


def test_runs_of_a_job_that_was_stopped_are_kept_until_the_user_says_what_to_do(tmp_path):
    with job(tmp_path) as first:
        first.do(tasks(1))
    before = content(tmp_path)
    with pytest.raises(FolderTaken, match=r"1 finished runs .*--resume .*another --out.*--overwrite"):
        job(tmp_path)
    assert {**content(tmp_path), "job.lock": b""} == {**before, "job.lock": b""}


def test_overwrite_throws_away_what_the_job_wrote_and_nothing_else(tmp_path):
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path)])
    (tmp_path / "tasks/mine.json").write_text('{"key": "my own"}')
    (tmp_path / "tasks/convnet-run-007-00000000.json").write_text('{"key": "ConvNet / run 007"}')
    (tmp_path / "mine.png").write_bytes(b"my own")
    before = content(tmp_path)
    with job(tmp_path, overwrite=True):
        left = content(tmp_path)
    mine = {"tasks/mine.json", "tasks/convnet-run-007-00000000.json", "mine.png"}
    assert left.keys() == {*mine, "job.lock", "tasks/settings.json"}
    assert all(left[name] == before[name] for name in mine)


def test_a_picture_of_the_users_is_kept_aside(tmp_path, capsys):
    (tmp_path / "boxplot.png").write_bytes(b"my own")
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path)])
    (aside,) = tmp_path.glob("boxplot.png.aside-*")
    assert aside.read_bytes() == b"my own" and "boxplot.png cannot be used: no job drew it" in capsys.readouterr().err
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path)])
    assert list(tmp_path.glob("*.aside-*")) == [aside], "one that the job drew is drawn over"


def test_a_finished_job_shows_its_results_and_changes_nothing(tmp_path, capsys):
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path)])
    before, first = content(tmp_path), capsys.readouterr().out
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path)])
    assert capsys.readouterr().out == first
    assert {**content(tmp_path), "job.lock": b""} == {**before, "job.lock": b""}


# ---- what is read back is checked ----------------------------------------------------------------------------------------


def changed_number(path: Path, tmp_path: Path) -> None:
    path.write_text(path.read_text().replace("1.5", "2.5"))


def cut_off(path: Path, tmp_path: Path) -> None:
    path.write_text(path.read_text()[:30])


def no_text(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def list_of_lists(path: Path, tmp_path: Path) -> None:
    path.write_text("[" * 100_000)


def without_checksum(path: Path, tmp_path: Path) -> None:
    path.write_text('{"key": "task 1.5", "value": 9}')


def of_another_seed(path: Path, tmp_path: Path) -> None:
    with job(tmp_path / "other", settings={"seed": 1}) as other:
        other.do(tasks(1.5))
    path.write_bytes((tmp_path / "other/tasks" / path.name).read_bytes())


def of_another_task(path: Path, tmp_path: Path) -> None:
    with job(tmp_path / "other") as other:
        other.do(tasks(7.5))
    (found,) = (tmp_path / "other/tasks").glob("task*.json")
    path.write_bytes(found.read_bytes())


DAMAGE = [changed_number, cut_off, no_text, list_of_lists, without_checksum, of_another_seed, of_another_task]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_task_that_cannot_be_trusted_is_named_kept_aside_and_done_again(damage, tmp_path, capsys):
    folder = tmp_path / "job"
    with job(folder) as first:
        expected = first.do(tasks(1.5, 3.5))
    (path,) = (folder / "tasks").glob("task-1-5-*.json")
    damage(path, tmp_path)
    damaged = path.read_bytes()
    with job(folder, resume=True) as again:
        assert again.do(tasks(1.5, 3.5)) == expected
    assert str(path) in capsys.readouterr().err
    (aside,) = (folder / "tasks").glob("*.aside-*")
    assert aside.read_bytes() == damaged


@pytest.mark.parametrize("name", ["tasks/settings.json", "clock.json"])
def test_damaged_settings_or_clock_are_named_and_every_run_is_kept(name, tmp_path, capsys):
    with job(tmp_path) as first:
        expected = first.do(tasks(1.5))
    (tmp_path / name).write_text('{"seed": ')
    with job(tmp_path, resume=True) as again:
        assert again.do([Task("task 1.5", _never, tuple)]) == expected
    assert name in capsys.readouterr().err


def _never() -> dict:
    raise AssertionError("computed again")


def test_other_digits_of_the_same_name_are_other_settings(tmp_path):
    job(tmp_path).close()
    other = type(DIGITS)(**{**vars(DIGITS), "train_labels": DIGITS.train_labels[::-1]})
    with pytest.raises(FolderTaken, match="digits: "):
        Job(other, {"seed": 0}, tmp_path, resume=True)


def test_an_entry_is_read_as_it_was_written(tmp_path):
    entry = {"loss": [0.1, 1 / 3, float("nan"), 1e-320], "pair": (1, 2), "name": "ü"}
    written = kept.write(tmp_path / "entry", entry)
    assert written == kept.read(tmp_path / "entry") == {"loss": [0.1, 1 / 3, None, 1e-320], "pair": [1, 2], "name": "ü"}


# ---- how a job ends ------------------------------------------------------------------------------------------------------


def group(leader: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state not in "ZX":
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see the workers")
@pytest.mark.parametrize(
    "signals, whom, status",
    [("SIGINT", "job", 130), ("SIGTERM", "job", 143), ("SIGHUP", "all", 129), ("SIGKILL", "job", -9)],
)
def test_a_stopped_job_takes_its_workers_with_it_and_can_go_on(signals, whom, status, tmp_path, interruptible):
    with start(tmp_path, "--jobs", "2", "--epochs", "400", stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 120
        while len(group(process.pid)) < 4 and time.monotonic() < end:  # the job, two workers, and what looks after them
            time.sleep(0.1)
        time.sleep(2)
        (os.killpg if whom == "all" else os.kill)(process.pid, getattr(signal, signals))
        errors = process.communicate(timeout=60)[1]
        end = time.monotonic() + 60  # it takes a second, but 11 were seen on two processors with 23 programs at work
        while group(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        assert not group(process.pid), "the workers are at work"
    assert process.returncode == status
    assert status < 0 or f"what was finished is kept in {tmp_path}, go on with --resume" in errors
    with Job(DIGITS, settings_of(tmp_path), tmp_path, resume=True):
        pass


def settings_of(folder: Path) -> dict:
    settings = kept.read(folder / "tasks/settings.json")
    return {name: entry for name, entry in settings.items() if name not in ("data", "digits")}


def die_once(folder: str, number: int) -> int:
    mark = Path(folder, f"{number}")
    if not mark.exists():
        mark.write_text("")
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    return number


@posix
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(backend, tmp_path, capsys):
    assert sorted(outcomes(((die_once, str(tmp_path), i) for i in range(6)), backend, 2)) == list(range(6))
    assert "A worker died" in capsys.readouterr().err


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@posix
def test_workers_that_die_again_and_again_end_the_job_with_a_word(monkeypatch):
    monkeypatch.setattr("runner.processes.DEATHS", 1)
    with pytest.raises(WorkersDie, match="memory"):
        list(outcomes([(die,)], "loky", 2))


# ---- mistakes and consoles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mistake, said",
    [
        (["--seed", "-1"], "at least 0, got -1"),
        (["--seed", "x"], "at least 0, got x"),
        (["--runs", "0"], "at least 1, got 0"),
        (["--jobs", "999999"], "--jobs 999999: this machine has"),
        (["--backend", "nope"], "nope"),
        (["--resume", "--overwrite"], "not allowed with"),
        (["--nope"], "--nope"),
        (["--data", "./nowhere"], "nowhere"),
        (["--out", __file__], "test_jobs.py"),
    ],
)
def test_a_mistake_gets_one_sentence_and_status_2(mistake, said, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path), *mistake])
    *_, line = errors = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2
    assert said in line and line.startswith("weight_sharing.py: ")
    assert len([one for one in errors if not one.startswith("Data: ")]) == 1


@pytest.mark.parametrize("backend, packages", [("dask", "dask and distributed"), ("ray", "ray")])
def test_a_back_end_that_is_not_installed_is_named_with_what_to_install(backend, packages, monkeypatch, capsys):
    monkeypatch.setattr("runner.processes.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        parse(weight_sharing.REPORT, ["--backend", backend])
    assert f"--backend {backend} needs {packages}: pip install" in capsys.readouterr().err


def test_results_print_on_a_console_that_knows_ascii_alone(tmp_path):
    job = start(tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    printed, errors = job.communicate(timeout=120)
    assert job.returncode == 0, errors
    assert "mean +- standard" in printed


@posix
def test_a_console_that_is_closed_does_not_fail_a_finished_job(tmp_path):
    def status(*words):
        quiet = "exec {} >&- 2>&-".format(" ".join(f"'{word}'" for word in words))
        return subprocess.run(["sh", "-c", quiet], cwd=ROOT, timeout=120).returncode

    if status(sys.executable, "-c", "import sklearn.model_selection"):
        pytest.skip("scikit-learn itself cannot be imported here without a console: NumPy 2.0 writes to it")
    assert status(*SCRIPT, *SMALL, "--jobs", "2", "--out", str(tmp_path)) == 0
    assert (tmp_path / "results.json").exists()


def test_pipes_that_nobody_reads_do_not_end_a_job(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    assert start(tmp_path, "--jobs", "2", stdout=writer, stderr=writer).wait(120) == 0
    os.close(writer)


def test_workers_start_in_a_process_without_standard_output(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path), "--jobs", "2"])
    assert (tmp_path / "results.json").exists()


@posix
def test_a_folder_that_cannot_be_made_is_a_mistake_and_is_not_said_to_hold_runs(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path / ("x" * 300))])
    said = capsys.readouterr().err
    assert "cannot hold results" in said and "--resume" not in said


@posix
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("name", ["tasks/settings.json", "tasks/x.json", "clock.json", "results.json", "job.lock"])
def test_what_stands_in_the_place_of_a_file_is_named_before_anything_is_computed(make, name, tmp_path, capsys):
    (tmp_path / "tasks").mkdir()
    make(tmp_path / name)
    with pytest.raises(SystemExit, match="2"):
        main(weight_sharing.REPORT, [*SMALL, "--out", str(tmp_path), "--resume"])
    assert f"{tmp_path / name} is in the way" in capsys.readouterr().err


def test_characters_without_a_plain_form_become_question_marks():
    console.fit_any_console()
    assert "5 ± 1 €".encode("ascii", errors="minitorch.plain") == b"5 +- 1 ?"
