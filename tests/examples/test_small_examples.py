"""The small examples, cut short: each learns more than nothing and leaves its picture or text."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import minitorch

ROOT = Path(__file__).parents[2]


def said(folder, *command):
    """What an example prints, run in a folder of its own with one thread."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}
    script = [sys.executable, str(ROOT / "examples" / command[0]), *command[1:]]
    return subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["first", "vae", "gan", "lstm", "gpt"])
def test_an_example_fits_in_120_lines(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) <= (50 if name == "first" else 120)


def test_the_first_example_learns_to_read_digits_and_draws_them(tmp_path):
    accuracies = re.findall(r"([\d.]+)% of 891 test digits right", said(tmp_path, "first.py"))
    assert len(accuracies) == 10 and float(accuracies[-1]) > 85  # by chance: 10 %
    assert (tmp_path / "results/first/digits.png").read_bytes().startswith(b"\x89PNG")


def test_the_autoencoder_improves_its_bound(tmp_path):
    said(tmp_path, "vae.py", "--epochs", "1")
    (bound,) = re.findall(r"test digit ([\d.]+) nats", said(tmp_path, "vae.py", "--epochs", "5"))
    assert float(bound) < 60  # an untrained net: about 136, which is ln 2 a pixel
    assert (tmp_path / "results/vae/digits.png").read_bytes().startswith(b"\x89PNG")


def test_the_gan_trains_both_nets(tmp_path):
    losses = re.findall(r"discriminator ([\d.]+), of the generator ([\d.]+)", said(tmp_path, "gan.py", "--epochs", "2"))
    assert len(losses) == 1 and all(0 < float(loss) < 3 for loss in losses[0])
    assert (tmp_path / "results/gan/digits.png").read_bytes().startswith(b"\x89PNG")


def test_the_lstm_reads_digits(tmp_path):
    accuracies = re.findall(r"([\d.]+)% of 891 test digits read right", said(tmp_path, "lstm.py", "--epochs", "5"))
    assert float(accuracies[-1]) > 60  # by chance: 10 %
    assert (tmp_path / "results/lstm/reading.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "amount", "left"),
    [
        ("vae", ("--epochs", "1"), "digits.png"),
        ("gan", ("--epochs", "1"), "digits.png"),
        ("lstm", ("--epochs", "1"), "reading.png"),
        ("gpt", ("--steps", "2"), "text.txt"),
    ],
)
def test_an_example_runs_on_a_gpu(name, amount, left, cupy, tmp_path, monkeypatch):
    if name in ("gan", "gpt") and hasattr(cupy, "forbid_sync"):
        pytest.skip("the stand-in for CuPy takes 17 s for the GAN and 170 s for the GPT")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *amount, "--device", "cuda"])
    try:
        runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    finally:
        minitorch.set_default_device("cpu")
        plt.close("all")
    assert (tmp_path / "results" / name / left).stat().st_size > 500


def test_the_gpt_learns_which_characters_follow(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat. " * 400)
    (loss,) = re.findall(r"step   60: ([\d.]+) nats", said(tmp_path, "gpt.py", "--text", str(text), "--steps", "60"))
    assert float(loss) < 1.0  # a guess among the 11 characters: 2.4
    assert len((tmp_path / "results/gpt/text.txt").read_text()) == 601


@pytest.mark.parametrize(
    "script, option, given, said",
    [
        *((script, "--epochs", "0", "expected at least 1, got 0") for script in ("vae", "gan", "lstm")),
        ("gpt", "--steps", "0", "expected at least 1, got 0"),
        *((script, "--data", "nope", "nope: no such folder.") for script in ("vae", "gan", "lstm")),
        ("gpt", "--text", ".", "[Errno 21] Is a directory: '.'"),
        ("gpt", "--text", "missing", "[Errno 2] No such file or directory: 'missing'"),
    ],
)
def test_a_script_that_cannot_train_says_so(monkeypatch, capsys, tmp_path, script, option, given, said):
    path = str(ROOT / "examples" / f"{script}.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [path, option, given])
    with pytest.raises(SystemExit, match=r"^2$"):
        runpy.run_path(path, run_name="__main__")
    assert f"{option}: {said}" in capsys.readouterr().err
