"""The command line: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

import benchmarks
from benchmarks import peers, report, summary

ON_GPU = ["steps", "job", "ops"]


def main(arguments: list[str] | None = None) -> None:
    """Measure the subjects that the command line names, save each when it is finished, and write all tables and plots."""
    options = parse(arguments)
    everyone = peers.PEERS if options.device == "cpu" else [peers.MINITORCH, peers.TORCH]
    missing = peers.missing(everyone)
    if peers.MINITORCH.name in missing:
        raise SystemExit(f"benchmarks: {missing[peers.MINITORCH.name]}")
    for name, reason in missing.items():
        print(f"Left out: {name}: {reason}")
    present = frozenset(peer.name for peer in everyone if peer.name not in missing)
    for subject in options.subjects:
        module = importlib.import_module(f"benchmarks.{subject}")
        settings = report.Options(
            present, options.rounds or (3 if options.quick else module.ROUNDS), options.quick, options.device
        )
        machine, start, others = peers.machine(present), time.monotonic(), peers.others()
        machine |= peers.gpu() if options.device == "cuda" else {}
        rows = module.run(settings)
        cores = None if others is None else round((peers.others() - others) / (time.monotonic() - start), 1)
        content = {
            "machine": {**machine, "load at the end": peers.machine(present)["load"]},
            "others": cores,
            "rounds": settings.rounds,
            "quick": options.quick,
            "device": options.device,
            "left out": missing,
        }
        report.save(options.out / f"{subject}.json", content, rows)
        print("Written:", *summary.write(options.out), sep="\n  ")
    print((options.out / summary.PAGE).read_text())


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=benchmarks.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("subjects", nargs="*", metavar="subject", help=f"{', '.join(summary.SUBJECTS)} (default: all)")
    add("--quick", action="store_true", help="few cases and rounds, to see that everything works")
    add("--rounds", type=int, help="number of turns of every contender (default: each subject has its own; 3 with --quick)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help=f"where to compute (cuda: only {', '.join(ON_GPU)})")
    add("--out", type=Path, help="folder for JSON, tables and plots (default: docs/speed, with --quick results/speed-quick)")
    options = parser.parse_args(arguments)
    allowed = ON_GPU if options.device == "cuda" else list(summary.SUBJECTS)
    options.subjects = options.subjects or allowed
    if unknown := set(options.subjects) - set(allowed):
        parser.error(
            f"{', '.join(sorted(unknown))}: expected subjects among {', '.join(allowed)} with --device {options.device}"
        )
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: expected at least 1")
    folder = Path("results/speed-quick" if options.quick else "docs/speed")
    options.out = options.out or (folder / "cuda" if options.device == "cuda" else folder)
    return options


if __name__ == "__main__":
    main()
