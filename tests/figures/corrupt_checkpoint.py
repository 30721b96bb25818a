"""A small training run's checkpoint, and copies of it damaged in every way we know of."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.files.serialization import CheckpointError
from tests.figures.killed_jobs import Run, content, new_run

REMEDIES = "go back to", "Pass a file that", "write its state dict with"


def fuzz(number: int, seed: int, folder: Path) -> Counter[str]:
    """Load ``number`` damaged copies of a checkpoint; count what became of each kind of damage.

    Every copy must be refused with a `CheckpointError` that names the file and a remedy, and leave the run as it was, or,
    where the damage put the bytes in place that stood there, bring the run to exactly the original state; `AssertionError`
    otherwise.
    """
    rng, path = np.random.default_rng(seed), folder / "checkpoint"
    run = new_run(0)
    run.save(folder / "start")
    rest = run.batches()
    whole, later = (_after(9, rest, run, folder / name) for name in ("original", "later"))
    run.load(folder / "start")
    outcomes: Counter[str] = Counter()
    for _ in range(number):
        kind = str(rng.choice(list(DAMAGES)))
        path.write_bytes(DAMAGES[kind](rng, whole, later))
        outcome = _attempt(run, path, folder / "original")
        outcomes[f"{kind}: {outcome}"] += 1
        if outcome == "harmless":
            run.load(folder / "start")
    assert _state(run, path) == content(folder / "start"), f"a refused {path} has changed the run"
    return outcomes


def _after(batches: int, rest: Any, run: Run, path: Path) -> bytes:
    """The checkpoint of the run so many batches further on."""
    assert len(list(islice(rest, batches))) == batches
    run.save(path)
    return path.read_bytes()


def _state(run: Run, path: Path) -> tuple[Any, bytes]:
    """All that the next step of the run depends on."""
    run.save(path)
    return content(path)


def _attempt(run: Run, damaged: Path, original: Path) -> str:
    try:
        run.load(damaged)
    except CheckpointError as error:
        said = str(error)
    else:
        assert _state(run, damaged) == content(original), f"{damaged} was accepted with another content"
        return "harmless"
    assert str(damaged) in said, f"{damaged} is not named: {said}"
    assert any(remedy in said for remedy in REMEDIES), f"no remedy: {said}"
    return "refused"


def _flip_bits(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    damaged = bytearray(whole)
    for bit in rng.choice(8 * len(whole), rng.integers(1, 9), replace=False):
        damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def _overwrite(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    start, end = _some_block(rng, whole)
    block = bytes(end - start), rng.bytes(end - start), b" " * (end - start), later[start:end]
    return whole[:start] + block[rng.integers(4)] + whole[end:]


def _lose_a_block(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    start, end = _some_block(rng, whole)
    return whole[:start] + whole[end:]


def _repeat_a_block(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    start, end = _some_block(rng, whole)
    return whole[:end] + whole[start:]


def _truncate(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    return whole[: rng.integers(len(whole))]


def _append(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    return whole + (rng.bytes(rng.integers(1, 1000)) if rng.random() < 0.5 else bytes(rng.integers(1, 1000)))


def _swap_headers(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    pair = [whole, later] if rng.random() < 0.5 else [later, whole]
    return _packed(_unpacked(pair[0])[0], _unpacked(pair[1])[1])


def _lose_the_metadata(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    head, body = _unpacked(whole)
    if rng.random() < 0.5:
        del head["__metadata__"]
    else:
        del head["__metadata__"][str(rng.choice(["minitorch", "sha256"]))]
    return _packed(head, body)


def _wrong_count(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    head, body = _unpacked(whole)
    tensor = head[str(rng.choice([name for name in head if name != "__metadata__"]))]
    numbers = tensor["shape"] if tensor["shape"] and rng.random() < 0.5 else tensor["data_offsets"]
    where = rng.integers(len(numbers))
    numbers[where] = int(rng.choice([0, -1, numbers[where] + 1, 2 * numbers[where], 10**9, 2**62]))
    return _packed(head, body)


def _swap_names(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    head, body = _unpacked(whole)
    one, other = (str(name) for name in rng.choice([name for name in head if name != "__metadata__"], 2, replace=False))
    head[one], head[other] = head[other], head[one]
    return _packed(head, body)


def _change_the_history(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    head, body = _unpacked(whole)
    text = head["__metadata__"]["minitorch"]
    where = int(rng.choice([at for at, sign in enumerate(text) if sign.isdigit()]))
    head["__metadata__"]["minitorch"] = text[:where] + str(rng.integers(10)) + text[where + 1 :]
    return _packed(head, body)


def _bomb(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    head, body = _unpacked(whole)
    depth = int(rng.choice([100, 10**4, 10**5]))
    bombs = [
        int(rng.choice([2**24, 2**31, 2**40, 2**62])).to_bytes(8, "little") + whole[8:],
        _sized(b"[" * depth, body),
        _packed({**head, "__metadata__": {**head["__metadata__"], "minitorch": "[" * depth}}, body),
        _packed({**head, "bomb": {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**62]}}, body),
        _packed({**head, "__metadata__": {str(n): "" for n in range(depth)}}, body),
    ]
    return bombs[rng.integers(len(bombs))]


def _another_format(rng: np.random.Generator, whole: bytes, later: bytes) -> bytes:
    return [b"", pickle.dumps(whole), b"PK\x03\x04" + whole, bytes(len(whole)), rng.bytes(len(whole))][rng.integers(5)]


Damage = Callable[[np.random.Generator, bytes, bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "bits flipped": _flip_bits,
    "a block overwritten": _overwrite,
    "a block lost": _lose_a_block,
    "a block repeated": _repeat_a_block,
    "truncated": _truncate,
    "bytes appended": _append,
    "another checkpoint's header": _swap_headers,
    "metadata lost": _lose_the_metadata,
    "a wrong count": _wrong_count,
    "names swapped": _swap_names,
    "a digit of the history changed": _change_the_history,
    "a header bomb": _bomb,
    "another format": _another_format,
}


def _some_block(rng: np.random.Generator, whole: bytes) -> list[int]:
    """Where a block of the file starts and ends."""
    return sorted(int(cut) for cut in rng.choice(len(whole) + 1, 2, replace=False))


def _unpacked(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and its body."""
    end = 8 + int.from_bytes(raw[:8], "little")
    return json.loads(raw[8:end]), raw[end:]


def _packed(head: dict[str, Any], body: bytes) -> bytes:
    """The file of a header and a body, as safetensors lays it out: of an unchanged header, the same bytes."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return _sized(text + b" " * (-len(text) % 8), body)


def _sized(head: bytes, body: bytes) -> bytes:
    return len(head).to_bytes(8, "little") + head + body
