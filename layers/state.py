"""Moving, casting, saving and loading all tensors of a module and of the modules below it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from layers.parameter import Parameter
from minitorch import empty
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device, array_module

S = TypeVar("S", bound="Stateful")


class IncompatibleKeys(NamedTuple):
    """The result of `load_state_dict`: the module's keys that the state lacks, and the state's keys that the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Stateful:
    """Base class of `Module`: what it does with all its tensors, those of the modules below it included."""

    parameters: Any
    buffers: Any
    named_modules: Any

    # ---- dtypes and devices ----------------------------------------------------------------------------------------------

    def _convert(self: S, convert: Callable[[Tensor], Tensor]) -> S:
        """Replace the memory of every parameter, its gradient and every buffer; the tensors stay the same objects."""
        for tensor in (*self.parameters(), *self.buffers()):
            values = tensor.detach()
            converted = convert(values)
            if converted is not values:  # unchanged memory stays in place: a graph may have saved it
                grad = tensor.grad
                tensor.data = converted
                tensor.grad = None if grad is None else convert(grad.detach())
        return self

    def to(self: S, *args: Any, **kwargs: Any) -> S:
        """Move to a device, cast the floating tensors to a dtype, or both: `to("cuda")`, `to(float64)`, `to(tensor)`.

        Parameters stay the same objects, so optimizers stay valid. Returns the module. Raises TypeError for a dtype that is
        not floating, RuntimeError if there is no usable GPU.
        """

        def convert(tensor: Tensor) -> Tensor:
            asked = empty(0, device=tensor.device).to(*args, **kwargs)  # shows dtype and device for any form of arguments
            if asked.dtype.kind not in "fc":
                raise TypeError(f"to: a module can be cast to floating dtypes only, got {asked.dtype}")
            return tensor.to(*args, **kwargs) if tensor.is_floating_point() else tensor.to(device=asked.device)

        return self._convert(convert)

    def cuda(self: S, device: Device | str | int | None = None) -> S:
        """Move to the GPU; returns the module. Raises RuntimeError with the reason if there is no usable GPU."""
        return self._convert(lambda tensor: tensor.cuda(device))

    def cpu(self: S) -> S:
        """Move to the host; returns the module."""
        return self._convert(lambda tensor: tensor.cpu())

    def float(self: S) -> S:
        """Cast the floating tensors to float32; returns the module."""
        return self.to(np.float32)

    def double(self: S) -> S:
        """Cast the floating tensors to float64; returns the module."""
        return self.to(np.float64)

    def half(self: S) -> S:
        """Cast the floating tensors to float16; returns the module."""
        return self.to(np.float16)

    def type(self: S, dst_type: np.dtype) -> S:
        """Cast all parameters and buffers, whole numbers included, to `dst_type`; returns the module."""
        return self._convert(lambda tensor: tensor.to(dtype=dst_type))

    # ---- saving and loading ----------------------------------------------------------------------------------------------

    def _saved(self, prefix: str = "") -> Iterator[tuple[str, Any, str, Tensor]]:
        """(key, module, name, tensor) for everything that is saved; a tensor registered under two names comes twice."""
        for path, module in self.named_modules(remove_duplicate=False):
            at = f"{prefix}{path}." if path else prefix
            for name, tensor in (*module._parameters.items(), *module._buffers.items()):
                if tensor is not None and name not in module._non_persistent_buffers:
                    yield at + name, module, name, tensor

    def get_extra_state(self) -> Any:
        """Anything a subclass keeps in its `state_dict` besides tensors; such a subclass also writes `set_extra_state`."""
        raise RuntimeError(f"{self.__class__.__name__}: state_dict holds an extra state, but get_extra_state is not written")

    def set_extra_state(self, state: Any) -> None:
        """Restore what `get_extra_state` returned; called by `load_state_dict`."""
        raise RuntimeError(f"{self.__class__.__name__}: state_dict holds an extra state, but set_extra_state is not written")

    def _extra_states(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(key, module) for the modules that write `get_extra_state`."""
        for path, module in self.named_modules(remove_duplicate=False):
            if module.__class__.get_extra_state is not Stateful.get_extra_state:
                yield f"{prefix}{path}._extra_state" if path else f"{prefix}_extra_state", module

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Parameters, persistent buffers and extra states by path. Tensors share the module's memory: copy them to keep them.

        A tensor registered under two names has both keys, as in PyTorch. `keep_vars` gives the parameters themselves.
        """
        state = OrderedDict() if destination is None else destination
        state.update((key, tensor if keep_vars else tensor.detach()) for key, _, _, tensor in self._saved(prefix))
        state.update((key, module.get_extra_state()) for key, module in self._extra_states(prefix))
        return state

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy the tensors of `state_dict` into this module's own memory, cast to its dtypes and moved to its devices.

        With `assign` they replace this module's tensors, with their own dtypes, devices and memory: make the optimizer
        afterwards. A tensor registered under two names stays one (PyTorch's `assign` makes two). Everything is checked before
        anything is changed. Raises RuntimeError with every problem: missing and unexpected keys (with `strict=False` they are
        returned), shapes or kinds of numbers (whole, floating) that differ, and two values for one tensor.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict, got {state_dict.__class__.__name__}")
        own, extra = {key: place for key, *place in self._saved()}, dict(self._extra_states())
        missing = [key for key in (*own, *extra) if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own and key not in extra]
        amiss = {"missing": missing, "unexpected": unexpected} if strict else {}
        problems = [f"{what} key(s): {', '.join(map(repr, keys))}" for what, keys in amiss.items() if keys]
        new: dict[int, Any] = {}  # by the tensor's id
        for key, (*_, tensor) in own.items():
            if key in state_dict:
                problems += _misfits(key, tensor, state_dict[key], new.setdefault(id(tensor), state_dict[key]), assign)
        if problems:
            name = self.__class__.__name__
            raise RuntimeError("\n\t".join([f"load_state_dict: {name} was left unchanged:", *problems]))
        mine = {tensor.data_ptr() for *_, tensor in own.values()} if not assign else ()
        new = {at: value.clone() if value.data_ptr() in mine else value for at, value in new.items()}  # two layers exchanged
        for module, name, tensor in own.values():
            value = new.get(id(tensor))
            if value is None:
                continue
            if assign:
                if isinstance(tensor, Parameter) and not isinstance(value, Parameter):
                    value = new[id(tensor)] = Parameter(value, tensor.requires_grad)
                setattr(module, name, value)
            else:
                tensor.array[...] = value.to(device=tensor.device, dtype=tensor.dtype).array
                mark_changed(tensor.array, "load_state_dict")
        for key, module in extra.items():
            if key in state_dict:
                module.set_extra_state(state_dict[key])
        return IncompatibleKeys(missing, unexpected)


def _misfits(key: str, own: Tensor, given: Any, first: Any, assign: bool) -> Iterator[str]:
    """Why `given` cannot be copied into `own`, if it cannot; `first` is what its first name gave to the same tensor."""
    if not isinstance(given, Tensor):
        yield f"{key!r}: expected a Tensor, got {type(given).__name__}"
    elif given.shape != own.shape:
        yield f"{key!r}: expected shape {tuple(own.shape)}, got {tuple(given.shape)}"
    elif given.dtype.kind != own.dtype.kind:
        yield f"{key!r}: expected {own.dtype}, got {given.dtype}"
    elif first is not given and not _equal(first, given):
        yield f"{key!r}: expected the values of the other name of this tensor, got others; untie the two or give one"
    elif not assign and not getattr(own.array.flags, "writeable", True):
        yield f"{key!r}: an expanded tensor cannot be written to; register its clone()"
    elif not assign and given.dtype != own.dtype and given.dtype.kind in "iu" and not _equal(given.to(own.dtype), given):
        yield f"{key!r}: expected numbers of {own.dtype}, got {given.dtype} beyond its range"


def _equal(a: Any, b: Tensor) -> bool:
    return isinstance(a, Tensor) and bool(array_module(b.array).array_equal(a.array, b.array, equal_nan=True))
