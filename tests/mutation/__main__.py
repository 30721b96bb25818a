"""Mutate the engine and every backward rule, and say which changes no test notices.

    python -m tests.mutation                                  # print what survived
    python -m tests.mutation --write docs/mutation.md         # recorded with date, versions and machine
    python -m tests.mutation --only 'minitorch/autograd/backward.py:*'   # some functions alone
    python -m tests.mutation --since main                     # the functions that differ from a commit alone

Finished mutants are kept, so that a run that was stopped goes on. A change of the code or of what tests share starts it anew, a
change of a test what that test had killed and what survived. The exit status is 1 if fewer than 95 % are killed, or if a survivor is not explained. Needs the `mutation` extra, and fork().
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import pytest

from minitorch.files.atomic import atomic_write
from tests.mutation.document import document, passes
from tests.mutation.judge import PATIENCE, Court, Verdict
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.scope import ROOT

# Whatever is about tensors, operations, gradients and layers. Left out: data, files, jobs, reports, which the other tests
# are about, and parity, so that the tests prove what they do without PyTorch.
TESTS = ("autograd", "ops", "layers")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the document there")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="mutate these alone, of 'file:function'")
    parser.add_argument("--since", metavar="COMMIT", help="mutate what differs from this commit alone, function by function")
    parser.add_argument(
        "--tests", nargs="+", metavar="FILE", help="run these files or folders of tests in place of the usual ones"
    )
    parser.add_argument("--budget", type=float, default=6.0, metavar="S", help="seconds of tests a mutant (default 6)")
    parser.add_argument("--kept", type=Path, default=ROOT / "build/mutation.jsonl", metavar="FILE", help="finished mutants")
    options = parser.parse_args(arguments)
    chosen = mutants(options.only, options.since)
    files = options.tests or [f"tests/{name}" for name in TESTS]
    found = judged(chosen, files, options.budget, options.kept)
    command = " ".join(["python -m tests.mutation", *(sys.argv[1:] if arguments is None else arguments)])
    text = document(found, command, options.budget, PATIENCE)
    if options.write is None:
        print(text)
    else:
        with atomic_write(options.write) as file:
            file.write(text.encode())
    return 0 if passes(found) else 1


def judged(chosen: Sequence[Mutant], tests: Sequence[str], budget: float, kept: Path) -> list[tuple[Mutant, Verdict]]:
    """Each mutant with its verdict: the kept one, or that of the tests, which is kept."""
    version = Version(tests, budget)
    known, killers = verdicts(kept, version)
    if remaining := [each for each in chosen if each.digest not in known]:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("a") as file:
            hold_court(remaining, tests, budget, killers, version, file)
        known, _ = verdicts(kept, version)
    return [(each, known[each.digest]) for each in chosen]


def hold_court(
    remaining: Sequence[Mutant], tests: Sequence[str], budget: float, killers: dict[str, str], version: Version, file: TextIO
) -> None:
    """Judge the mutants one by one, each by what killed it before first, and write each verdict to `file`."""

    def proceedings(court: Court) -> None:
        started = time.perf_counter()
        for i, each in enumerate(remaining, 1):
            verdict = court.judge(each, budget, killers.get(each.name, ""))
            entry = {"name": each.name, "digest": each.digest, "version": version.of(verdict), **asdict(verdict)}
            print(json.dumps(entry), file=file, flush=True)
            if verdict.alive or i % 100 == 0:
                print(
                    f"{i}/{len(remaining)}, {time.perf_counter() - started:.0f} s: {each.file}:{each.line} {each.function}: "
                    f"{each.before} -> {each.after}: {verdict.outcome}",
                    file=sys.stderr,
                    flush=True,
                )

    court = Court(proceedings, remaining)
    options = ["-q", "-s", "--tb=no", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    status = pytest.main([*options, *tests], plugins=[court])
    if status != pytest.ExitCode.OK:
        raise SystemExit(f"the tests could not be run: {status}")


class Version:
    """What a verdict depends on: the code, what tests share, the test that failed, or, where none did, all of them."""

    def __init__(self, tests: Sequence[str], budget: float) -> None:
        shared = hashlib.sha256()
        for folder in ("minitorch", "layers", "tests"):
            for file in sorted((ROOT / folder).rglob("*.py")):
                if not file.name.startswith("test_") and file.parent.name not in ("mutation", "figures", "parity"):
                    shared.update(file.read_bytes())
        self.shared = shared.hexdigest()
        files = [file for given in tests for file in (sorted((ROOT / given).rglob("test_*.py")) or [ROOT / given])]
        self.tests = {file.relative_to(ROOT).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        self.all = f"{sorted(self.tests.items())} {budget}"

    def of(self, verdict: Verdict) -> str:
        """The version of a verdict as of now."""
        seen = self.tests.get(verdict.by.partition("::")[0]) if verdict.by else self.all
        return hashlib.sha256(f"{self.shared} {seen}".encode()).hexdigest()[:16]


def verdicts(kept: Path, version: Version) -> tuple[dict[str, Verdict], dict[str, str]]:
    """What the file holds: by digest what is still valid, and by name the test that killed a mutant, valid or not.

    A line cut short by a kill is no verdict.
    """
    found, killers = {}, {}
    for line in kept.read_text().splitlines() if kept.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        verdict = Verdict(entry["outcome"], entry["by"], entry["tests"])
        killers[entry["name"]] = verdict.by
        if entry["version"] == version.of(verdict):
            found[entry["digest"]] = verdict
    return found, killers


if __name__ == "__main__":
    sys.exit(main())
