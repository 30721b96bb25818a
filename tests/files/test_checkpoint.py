"""Checkpoints: a run goes on bit for bit, what does not fit changes nothing, and no damaged file is taken."""

import errno
import os
import re
import signal
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import resume
import safetensors.numpy

import layers as nn
import minitorch as mt
from minitorch import optim
from minitorch.files import atomic, serialization
from minitorch.files.serialization import CheckpointError
from minitorch.optim import lr_scheduler
from minitorch.utils.data import DataLoader
from runner.lock import FolderLock
from tests.figures import killed_jobs
from tests.figures.corrupt_checkpoint import DAMAGES, fuzz
from tests.figures.killed_jobs import BATCH, EPOCHS, SAMPLES, content, finish, new_run

BATCHES = -(-SAMPLES // BATCH)  # of an epoch


def after(count, seed=0, device="cpu"):
    """The run of a seed after so many batches; `run.rest` is what remains of it."""
    run = new_run(seed, device)
    run.rest = run.batches()
    assert len(list(islice(run.rest, count))) == count
    return run


def state(run, folder):
    """All that the next step of a run depends on."""
    run.save(folder / "state")
    return content(folder / "state")


def refusal(run, path):
    with pytest.raises(CheckpointError) as caught:
        run.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


# ---- going on ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))  # every rule with every schedule
def test_a_run_goes_on_bit_for_bit_from_any_batch(tmp_path, seed):
    undisturbed = finish(new_run(seed), tmp_path / "undisturbed")
    for stop in range(1, EPOCHS * BATCHES + 1, 11 if seed else 1):
        after(stop, seed).save(tmp_path / "checkpoint")
        resumed = new_run(seed)
        mt.seed()
        resumed.load(tmp_path / "checkpoint")
        assert finish(resumed, tmp_path / "resumed") == undisturbed, stop


def test_a_run_goes_on_from_between_two_epochs(tmp_path, monkeypatch):
    undisturbed = finish(new_run(0), tmp_path / "undisturbed")
    monkeypatch.setattr(killed_jobs, "EPOCHS", 2)
    finish(new_run(0), tmp_path / "after two")
    monkeypatch.undo()
    resumed = new_run(0)
    mt.seed()
    resumed.load(tmp_path / "after two")
    assert resumed.epoch == 2 and finish(resumed, tmp_path / "resumed") == undisturbed


def test_a_run_goes_on_as_the_one_that_wrote_the_checkpoint(tmp_path, device):
    """On a GPU too, where dropout starts anew from what is written."""
    run = after(11, device=device)
    run.save(tmp_path / "checkpoint")
    for _ in run.rest:
        pass
    undisturbed = state(run, tmp_path)
    resumed = after(2, device=device)
    resumed.load(tmp_path / "checkpoint")
    assert finish(resumed, tmp_path / "resumed") == undisturbed


def test_dropout_goes_on_from_a_state_of_its_generator(device):
    """CuPy cannot save a stream on the GPU: it starts anew at `get_state` and at `set_state`."""

    def drawn():
        return [nn.functional.dropout(mt.ones(50, device=device)).tolist() for _ in range(2)]

    first, state = drawn(), mt.get_rng_state()
    expected = drawn()
    mt.set_rng_state(state)
    assert drawn() == expected != first


def test_writing_a_checkpoint_changes_nothing(tmp_path):
    undisturbed = finish(new_run(1), tmp_path / "undisturbed")
    run = new_run(1)
    for _ in run.batches():
        run.save(tmp_path / "checkpoint")
    assert state(run, tmp_path) == undisturbed


def test_any_parts_have_any_names_and_values_come_back(tmp_path):
    painter, critic, paint = nn.Linear(2, 3), nn.Linear(3, 1), mt.Generator().manual_seed(1)
    values = {"epoch": 3, "history": {"loss": [0.25, float("inf")], "best": (1, None)}, "f": "text"}
    mt.save_checkpoint(tmp_path / "file", painter=painter, critic=critic, paint=paint, **values)
    weights, drawn = [net.weight.tolist() for net in (painter, critic)], mt.rand(3, generator=paint).tolist()
    painter, critic = nn.Linear(2, 3), nn.Linear(3, 1)
    assert mt.load_checkpoint(tmp_path / "file", critic=critic, painter=painter, paint=paint) == values
    assert [net.weight.tolist() for net in (painter, critic)] == weights
    assert mt.rand(3, generator=paint).tolist() == drawn


def test_the_weights_alone_are_read_by_load(tmp_path):
    run = after(3)
    run.save(tmp_path / "file")
    net = new_run(7).net
    net.load_state_dict(mt.load(tmp_path / "file")["net"])
    assert all(np.array_equal(a.array, b.array) for a, b in zip(net.parameters(), run.net.parameters()))
    assert "net.0.weight" in safetensors.numpy.load_file(tmp_path / "file")


def test_a_name_is_kept_for_the_file_itself(tmp_path):
    with pytest.raises(ValueError, match="the file keeps the name 'checkpoint' for itself"):
        mt.save_checkpoint(tmp_path / "file", checkpoint=3)


# ---- what does not fit ---------------------------------------------------------------------------------------------------


def wider(run):
    run.net = nn.Sequential(nn.Conv2d(1, 5, 3, padding=1), nn.BatchNorm2d(5), *list(run.net)[2:])


def other_rule(run):
    run.optimizer = optim.Adam(run.net.parameters())


def fewer_parameters(run):
    run.optimizer = optim.SGD(run.net[0].parameters())


def other_schedule(run):
    run.scheduler = lr_scheduler.ExponentialLR(run.optimizer, 0.9)


def other_batches(run):
    run.loader = DataLoader(run.loader.dataset, 10, shuffle=True, generator=mt.Generator())


def other_shuffles(run):
    run.loader = DataLoader(run.loader.dataset, BATCH, shuffle=True)


def another_net(run):
    run.net = nn.Linear(36, 3)


@pytest.mark.parametrize(
    "change, said",
    [
        (wider, r"does not fit net.*'0\.weight': expected shape \(5, 1, 3, 3\), got \(4, 1, 3, 3\)"),
        (another_net, r"missing key\(s\): 'weight', 'bias'.*unexpected key\(s\): '0\.weight'"),
        (other_rule, "does not fit optimizer.*the state of SGD, this is Adam"),
        (fewer_parameters, r"does not fit optimizer.*expected groups of \[2\] parameters, got \[6\]"),
        (other_schedule, "does not fit scheduler.*the state of StepLR, this is ExponentialLR"),
        (other_batches, "does not fit loader.*'batch_size': 10.*'batch_size': 8"),
        (other_shuffles, "does not fit loader.*'own_generator': False.*'own_generator': True"),
    ],
)
def test_the_checkpoint_of_something_else_is_refused_and_changes_nothing(tmp_path, change, said):
    after(9).save(tmp_path / "file")
    run = after(3)
    change(run)
    before = state(run, tmp_path)
    assert re.search(said, refusal(run, tmp_path / "file"), re.DOTALL)
    assert state(run, tmp_path) == before


def test_a_schedule_with_a_state_that_this_one_does_not_have_is_refused(tmp_path):
    run = after(9)
    run.scheduler.warmth = 2
    run.save(tmp_path / "file")
    assert "StepLR.load_state_dict: only one of it and the given state has warmth" in refusal(after(3), tmp_path / "file")


def test_all_parts_of_the_file_are_asked_for(tmp_path):
    run = after(9)
    run.save(tmp_path / "file")
    for parts, said in (
        ({"net": run.net}, "holds the states of net, optimizer, scheduler, loader, but was asked for net."),
        ({**run.parts, "epoch": 3}, "but was asked for net, optimizer, scheduler, loader, epoch."),
        ({}, "but was asked for no part. Pass them all"),
    ):
        with pytest.raises(CheckpointError, match=re.escape(said)):
            mt.load_checkpoint(tmp_path / "file", **parts)


def test_a_part_without_a_state_is_named(tmp_path):
    run = after(1)
    run.save(tmp_path / "file")
    with pytest.raises(TypeError, match="expected parts with a state_dict, or generators, got optimizer=None"):
        mt.load_checkpoint(tmp_path / "file", **run.parts | {"optimizer": None})


@pytest.mark.parametrize(
    "obj", [{"w": mt.ones(2)}, [1], {"checkpoint": 3}, {"checkpoint": {"parts": 3, "default_generator": 3}}]
)
def test_other_files_are_no_checkpoints(tmp_path, obj):
    mt.save(obj, tmp_path / "file")
    assert "is not a training checkpoint. Pass a file that save_checkpoint wrote" in refusal(new_run(0), tmp_path / "file")


def test_ctrl_c_while_loading_leaves_all_as_it_was(tmp_path):
    class Part:
        def state_dict(self):
            return {}

        def load_state_dict(self, state_dict):
            if not hasattr(self, "loaded"):
                self.loaded = True
                raise KeyboardInterrupt

    mt.save_checkpoint(tmp_path / "file", **after(9).parts, last=Part())
    run = after(3)
    before = state(run, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        mt.load_checkpoint(tmp_path / "file", **run.parts, last=Part())
    assert state(run, tmp_path) == before


# ---- Ctrl-C and a full disk ----------------------------------------------------------------------------------------------


def kept(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_ctrl_c_while_writing_leaves_the_last_good_checkpoint(tmp_path, monkeypatch, interruptible):
    run = after(3)
    run.save(tmp_path / "file")
    before = kept(tmp_path)
    next(run.rest)
    monkeypatch.setattr(atomic.os, "fsync", lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run.save(tmp_path / "file")
    assert kept(tmp_path) == before


def test_a_full_disk_leaves_the_last_good_checkpoint_and_says_so(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = after(3)
    run.save(tmp_path / "file")
    before = kept(tmp_path)
    next(run.rest)
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match="the file that was there, if any, is unchanged") as caught:
        run.save(tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file") and caught.value.errno == errno.ENOSPC
    assert kept(tmp_path) == before


def test_a_file_that_may_not_grow_leaves_the_last_good_checkpoint_and_says_so(tmp_path):
    resource = pytest.importorskip("resource", reason="limits of POSIX")
    run = after(3)
    run.save(tmp_path / "file")
    before = kept(tmp_path)
    next(run.rest)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OSError, match="the file that was there, if any, is unchanged") as caught:
            run.save(tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path / "file") and caught.value.errno == errno.EFBIG
    assert kept(tmp_path) == before


def test_the_example_is_stopped_and_ends_in_the_same_run(tmp_path, monkeypatch, capsys, interruptible):
    """By Ctrl-C, then by a full disk; it says where the last checkpoint is, and lets nobody write there unasked."""
    whole, stopped = str(tmp_path / "whole"), str(tmp_path / "stopped")
    resume.main(["--quick", "--out", whole])
    said = capsys.readouterr().out
    step, steps, flush, flushes = optim.Adam.step, Counter(), os.fsync, Counter()

    def interrupted(optimizer):
        steps["taken"] += 1
        if steps["taken"] == 32:
            signal.raise_signal(signal.SIGINT)
        step(optimizer)

    def full(descriptor):
        flushes["done"] += 1
        if flushes["done"] > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    def ends(status, said, *options):
        with pytest.raises(SystemExit) as caught:
            resume.main(["--quick", *options])
        assert caught.value.code == status and said in capsys.readouterr().err

    monkeypatch.setattr(optim.Adam, "step", interrupted)
    ends(130, "checkpoint.safetensors is the last checkpoint, go on with --resume", "--out", stopped)
    monkeypatch.setattr(atomic.os, "fsync", full)
    ends(1, "the file that was there, if any, is unchanged", "--out", stopped, "--resume")
    monkeypatch.undo()
    before = content(Path(stopped, "checkpoint.safetensors"))
    lock = FolderLock(Path(stopped))
    ends(2, f"is in use: another job is at work there (process {os.getpid()}", "--out", stopped, "--resume")
    lock.release()
    ends(2, "is there already: go on with --resume, choose another --out, or say --overwrite", "--out", stopped)
    assert content(Path(stopped, "checkpoint.safetensors")) == before
    resume.main(["--quick", "--out", stopped, "--resume"])
    assert content(Path(stopped, "checkpoint.safetensors")) == content(Path(whole, "checkpoint.safetensors"))
    assert "epoch 3" in said and said.endswith(capsys.readouterr().out)


# ---- damaged files -------------------------------------------------------------------------------------------------------


def test_no_damaged_checkpoint_is_taken(tmp_path):
    outcomes = fuzz(400, 0, tmp_path)
    assert outcomes.total() == 400
    assert {outcome.split(":")[0] for outcome in outcomes} == set(DAMAGES)
    assert sum(count for outcome, count in outcomes.items() if outcome.endswith("refused")) > 380


def test_the_same_seed_damages_in_the_same_way(tmp_path):
    assert fuzz(60, 1, tmp_path) == fuzz(60, 1, tmp_path)


def test_the_fuzz_sees_a_reader_that_takes_anything(tmp_path, monkeypatch):
    monkeypatch.setattr("minitorch.files.serialization._check", lambda digest, raw, name: None)
    with pytest.raises(AssertionError, match=f"{re.escape(str(tmp_path))}.* was accepted with another content"):
        fuzz(100, 0, tmp_path)


@pytest.mark.parametrize(
    "said, missed", [("go back to an earlier checkpoint", "is not named"), ("load: {} is damaged", "no remedy")]
)
def test_the_fuzz_sees_a_refusal_that_does_not_name_the_file_or_a_remedy(tmp_path, monkeypatch, said, missed):
    def careless(digest, raw, name):
        try:
            check(digest, raw, name)
        except CheckpointError as reason:
            raise CheckpointError(said.format(name)) from reason

    check = serialization._check
    monkeypatch.setattr(serialization, "_check", careless)
    with pytest.raises(AssertionError, match=missed):
        fuzz(100, 0, tmp_path)


def test_the_fuzz_sees_a_refusal_that_changes_the_run(tmp_path, monkeypatch):
    load = killed_jobs.Run.load

    def careless(run, path):
        try:
            load(run, path)
        except CheckpointError:
            run.epoch += 1
            raise

    monkeypatch.setattr(killed_jobs.Run, "load", careless)
    with pytest.raises(AssertionError, match="has changed the run"):
        fuzz(10, 0, tmp_path)
