"""How to train so that a run can be stopped at any moment and ends in the same weights, bit for bit: a plain loop and one file.

Ctrl-C, a crash, a full disk or a power cut lose at most the last few batches; the same command with --resume goes on. No other
start can use the folder at the same time, and a checkpoint that is there is only replaced with --overwrite.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

import layers as nn
import minitorch
from minitorch import load_checkpoint, optim, save_checkpoint
from minitorch.data import load_digits
from minitorch.files.serialization import CheckpointError
from minitorch.utils.data import DataLoader, TensorDataset
from runner.command import MISTAKE, Stopped, positive, stopped_by_signals
from runner.kept import check_files
from runner.lock import FolderInUse, FolderLock

EVERY = 5  # batches from one checkpoint to the next


def make(epochs: int, seed: int) -> dict[str, Any]:
    """All that has a state. What has none (data, sizes, options) must be made alike before a checkpoint is loaded."""
    minitorch.manual_seed(seed)
    digits = load_digits("digits")
    images = minitorch.from_numpy(digits.train_images[:, None] / 255)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(576, 10)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    loader = DataLoader(TensorDataset(images, minitorch.from_numpy(digits.train_labels)), batch_size=50, shuffle=True)
    return {"model": model, "optimizer": optimizer, "scheduler": scheduler, "loader": loader}


def train(path: Path, epochs: int, seed: int = 0, resume: bool = False) -> list[float]:
    """Train, with a checkpoint at `path` after every few batches; the mean loss of each epoch."""
    run = make(epochs, seed)
    values = load_checkpoint(path, **run) if resume else {"epoch": 0, "losses": [], "history": []}
    epoch, losses, history = values["epoch"], values["losses"], values["history"]
    save_checkpoint(path, **run, **values)  # from here on there is one to go on from, and it is of this run
    while epoch < epochs:
        for images, labels in run["loader"]:  # after a resume, the batches that were left
            loss = nn.functional.cross_entropy(run["model"](images), labels)
            run["optimizer"].zero_grad()
            loss.backward()
            run["optimizer"].step()
            losses.append(loss.item())
            if len(losses) % EVERY == 0:
                save_checkpoint(path, **run, epoch=epoch, losses=losses, history=history)
        run["scheduler"].step()
        history.append(sum(losses) / len(losses))
        epoch, losses = epoch + 1, []
        print(f"epoch {epoch}: loss {history[-1]:.4f}", flush=True)
    save_checkpoint(path, **run, epoch=epoch, losses=losses, history=history)
    return history


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train. The exit statuses are those of the reports' jobs, see `runner.command.main`."""
    parser = argparse.ArgumentParser(prog="resume.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results", "resume"), help="folder (default: results/resume)")
    parser.add_argument("--epochs", type=positive, help="default: 20, with --quick 3")
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    again.add_argument("--overwrite", action="store_true", help="start again, and replace the checkpoint in --out")
    options = parser.parse_args(arguments)
    path = options.out / "checkpoint.safetensors"
    try:
        with stopped_by_signals():
            options.out.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(options.out)
            try:
                check_files(path)
                if path.exists() and not (options.resume or options.overwrite):
                    end(f"{path} is there already: go on with --resume, choose another --out, or say --overwrite", MISTAKE)
                train(path, options.epochs or (3 if options.quick else 20), resume=options.resume)
            finally:
                lock.release()
    except (FolderInUse, FileExistsError, NotADirectoryError, PermissionError) as error:
        end(str(error), MISTAKE)
    except (CheckpointError, OSError) as error:
        end(str(error), 1)
    except Stopped as stop:
        end(f"{stop}; {path} is the last checkpoint, go on with --resume", 128 + stop.signal)


def end(said: str, status: int) -> NoReturn:
    """Say why the script ends, and end it."""
    print(f"resume.py: {said}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
