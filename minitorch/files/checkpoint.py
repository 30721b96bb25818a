"""A training run in one file: `save_checkpoint` writes it after any batch, `load_checkpoint` resumes it exactly.

    save_checkpoint("run.safetensors", model=net, optimizer=optimizer, loader=batches, epoch=epoch)

and in a new process, with the net, the optimizer and the loader made as before, whose loop then goes on in that epoch:

    values = load_checkpoint("run.safetensors", model=net, optimizer=optimizer, loader=batches)
"""

from __future__ import annotations

import copy
import os
from typing import Any

from minitorch.files.serialization import CheckpointError, load, save
from minitorch.optim import Optimizer
from minitorch.optim.lr_scheduler import LRScheduler
from minitorch.random import Generator, default_generator

_HEADER = "checkpoint"


def save_checkpoint(f: str | os.PathLike[str], /, **parts: Any) -> None:
    """Write a training run to the file `f`, completely or not at all: after an error or a kill the previous checkpoint is kept.

    Parts with a `state_dict` (modules, optimizers, schedulers, loaders) and generators are stored by their state, other values
    as they are. The default generator's state is always stored, a module's `training` never, as in PyTorch. On a GPU this
    call restarts dropout's stream (`Generator.get_state`), so there a resumed run equals one that wrote the same checkpoints.
    """
    if _HEADER in parts:
        raise ValueError(f"save_checkpoint: the file keeps the name {_HEADER!r} for itself; give that part another one")
    stateful = {name: type(part).__name__ for name, part in parts.items() if _has_state(part)}
    content = {name: _state(part) if name in stateful else part for name, part in parts.items()}
    save({_HEADER: {"parts": stateful, "default_generator": default_generator.get_state()}, **content}, f)


def load_checkpoint(f: str | os.PathLike[str], /, **parts: Any) -> dict[str, Any]:
    """Restore every part and the default generator to the state that `save_checkpoint` wrote; returns the other values.

    Options of optimizers and schedules, such as the learning rate, come from the file, as in PyTorch. Raises CheckpointError,
    naming the file and what does not fit, if it is damaged, no checkpoint, or from another net, optimizer, scheduler or
    loader; all parts and generators are then unchanged. Raises TypeError for a part without a state, OSError from reading.
    """
    saved = load(f)
    header = saved.pop(_HEADER, None) if isinstance(saved, dict) else None
    if not isinstance(header, dict) or header.keys() != {"parts", "default_generator"} or type(header["parts"]) is not dict:
        mend = "Pass a file that save_checkpoint wrote; others are read by minitorch.load."
        raise CheckpointError(f"load_checkpoint: {f} is not a training checkpoint. {mend}")
    kinds = header["parts"]
    if parts.keys() != kinds.keys():
        held, asked = (", ".join(names) or "no part" for names in (kinds, parts))
        mend = f"Pass them all; minitorch.load({str(f)!r})[name] is the state of one."
        raise CheckpointError(f"load_checkpoint: {f} holds the states of {held}, but was asked for {asked}. {mend}")
    if lost := [f"{name}={part!r:.60}" for name, part in parts.items() if not _has_state(part)]:
        raise TypeError(f"load_checkpoint: expected parts with a state_dict, or generators, got {', '.join(lost)}")
    before = {name: copy.deepcopy(_state(part)) for name, part in parts.items()}
    random_before = default_generator.get_state()
    name = "the default generator"
    try:
        default_generator.set_state(header["default_generator"])
        for name, part in parts.items():
            _check_kind(part, kinds[name])
            _restore(part, saved.pop(name))
    except BaseException as reason:
        for changed, part in parts.items():
            _restore(part, before[changed])
        default_generator.set_state(random_before)
        if not isinstance(reason, Exception):
            raise
        mend = "Make every part as the run that wrote the file did, or start again with another file."
        said = f"{f} does not fit {name}, and nothing was changed: {reason}"
        raise CheckpointError(f"load_checkpoint: {said}\n{mend}") from reason
    return saved


def _has_state(part: Any) -> bool:
    return isinstance(part, Generator) or (hasattr(part, "state_dict") and hasattr(part, "load_state_dict"))


def _state(part: Any) -> Any:
    if isinstance(part, Generator):
        return part.get_state()
    state = part.state_dict()
    # not in PyTorch's layout; a scheduler needs it to warn of a step before the optimizer's first
    return state | {"steps_taken": part._steps_taken} if isinstance(part, Optimizer) else state


def _restore(part: Any, state: Any) -> None:
    if isinstance(part, Generator):
        part.set_state(state)
        return
    part.load_state_dict(state)
    if isinstance(part, Optimizer):
        part._steps_taken = state["steps_taken"]


def _check_kind(part: Any, kind: str) -> None:
    """Raise ValueError for the state of another rule with the same options, which `load_state_dict` would accept."""
    if isinstance(part, (Optimizer, LRScheduler)) and kind != type(part).__name__:
        raise ValueError(f"it holds the state of {kind}, this is {type(part).__name__}")
