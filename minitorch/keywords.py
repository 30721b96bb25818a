"""PyTorch's alternative keywords for arguments, resolved in one place for all functions and methods.

These are NumPy's `axis` for `dim` and `keepdims` for `keepdim`; the name of arguments otherwise passed one by one, as in
`zeros(size=(2, 3))`; names of single overloads; `out`, a tensor that receives the result of a function; and the factor of
`add`, `sub`, `addcmul` and `addcdiv` where old scripts have it, before the tensors.

The functions made here also take bare arrays to arrays, since the rules of an ordinary backward pass have these. They refuse
what is not of the annotated kind, such as labels in a list, "no" as a flag or 1.5 as a dim; and their errors name them.
"""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, Final, TypeVar, cast

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, is_array
from minitorch.ops.inplace import check_writable, copied
from minitorch.ops.promotion import REAL, check_real

POSITIONS: Final = {"argmax", "argmin", "multinomial", "nonzero"}  # what these give
RANGES: Final = {"arange", "linspace", "logspace", "range"}  # these fill an `out` of other dimensions, as in PyTorch
JOINING: Final = {"cat", "stack", "hstack", "vstack"}  # these write one input before they read the next
NUMPYS: Final = {"axis": "dim", "keepdims": "keepdim", "size": "sizes"}
OVERLOADS: dict[str, dict[str, str]] = {
    "view": {"size": "shape"},
    "split": {"split_size": "split_size_or_sections", "split_sizes": "split_size_or_sections"},
    "scatter": {"value": "src"},
    "transpose": {"axis0": "dim0", "axis1": "dim1"},
}
NUMBER_FIRST: Final = {"add": "alpha", "sub": "alpha", "addcmul": "value", "addcdiv": "value"}  # as in `p.add_(-lr, p.grad)`
KINDS: Final[dict[str, tuple[set[type], str]]] = {  # what an annotation takes, and its words
    "int": ({int}, "a whole number"),
    "float": ({float, int, bool}, "a number"),
    "complex": ({complex, float, int, bool}, "a number"),
    "bool": ({bool}, "True or False"),
    "str": ({str}, "a string"),
    "None": ({type(None)}, "None"),
}
NAMED: Final = re.compile(r"[A-Za-z_][\w.]*(\(\))?:")  # how a message begins that says which operation failed
F = TypeVar("F", bound=Callable[..., Any])


def take_keywords(names: dict[str, Any], modules: tuple[str, ...], takes_out: bool) -> None:
    """Make the functions among `names` that come from `modules` take the alternative keywords, and `out` if they should."""
    for name, value in list(names.items()):
        if isinstance(value, FunctionType) and value.__module__.startswith(modules):
            names[name] = made = with_keywords(value, takes_out)
            made.__module__, made.__qualname__ = names["__name__"], name  # where pickle finds it


class Signature:
    """What a function takes, read from its code: `inspect.signature` would make the import of minitorch 15 ms longer."""

    def __init__(self, function: Callable[..., Any]) -> None:
        inner: Any = inspect.unwrap(function)
        code, given = inner.__code__, inner.__annotations__
        spread = bool(code.co_flags & inspect.CO_VARARGS)
        by_place, end = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        names = list(code.co_varnames[: end + spread + bool(code.co_flags & inspect.CO_VARKEYWORDS)])
        if spread:
            names.insert(by_place, names.pop(end))
        self.spread: str = names[by_place] if spread else ""
        self.first: str = next(iter(names), "")
        self.annotations: dict[str, str] = {name: str(given.get(name, "")) for name in names}  # of all, in their order
        self.stem: str = function.__name__.rstrip("_")  # `scatter_` has what `scatter` has
        self.real: bool = self.stem in REAL
        aliases = {alias: name for alias, name in NUMPYS.items() if name in names} | OVERLOADS.get(self.stem, {})
        self.aliases: dict[str, str] = {alias: name for alias, name in aliases.items() if alias not in names}
        self.plain: dict[str, set[type]] = {name: kinds for name in names if (kinds := kinds_of(self.annotations[name]))}
        self.places: list[tuple[int, str]] = [
            (i, name) for i, name in enumerate(names[: by_place + spread]) if name in self.plain
        ]
        self.least: int = self.places[0][0] if self.places else len(names)  # so many arguments by place are no plain values
        self.tensor: bool = any("Tensor" in each for each in self.annotations.values())
        self.ordinary: bool = not (
            self.aliases or spread or self.plain or self.real or "Tensor" in [*self.annotations.values()][1:]
        )


signature_of = functools.cache(Signature)  # a function and the method of its name are one function


def with_keywords(function: F, takes_out: bool | None = None) -> F:
    """`function` with PyTorch's alternative keywords; a method (`takes_out` None) is returned as it is if it needs none."""
    of = signature_of(function)
    if of.ordinary and takes_out is None:
        return function
    real, least, places, plain = of.real, of.least, of.places, of.plain

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            for value in args if real else ():
                if type(value) is not Tensor or value.array.dtype.kind == "c":
                    check_real(of.stem, value)
            if len(args) > least:
                for i, what in places:
                    if i >= len(args):
                        break
                    if type(args[i]) not in plain[what]:
                        value = plain_value(function.__name__, what, of.annotations[what], args[i])
                        args = (*args[:i], value, *args[i + 1 :])
            return function(*args) if not kwargs else resolved(args, kwargs)
        except (AttributeError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as reason:
            name, number = function.__name__, NUMBER_FIRST.get(of.stem, "")
            if number and number not in kwargs and len(args) > 2 and isinstance(args[1], (int, float)) and _is_tensor(args[2]):
                warnings.warn(f"{name}: a number before the tensors is old; write {number}={args[1]!r:.9}", stacklevel=2)
                return call(args[0], *args[2:], **{number: args[1]}, **kwargs)
            given = list(parts_of((*args, *kwargs.values())))
            if of.tensor and any(map(_is_bare, given)) and not any(map(_is_tensor, given)):
                args, kwargs = _changed((args, kwargs), _is_bare, lambda array: wrap(array_module(array).asarray(array)))
                return _changed(call(*args, **kwargs), _is_tensor, lambda tensor: tensor.array)
            check_tensors(name, of.annotations, args, kwargs)
            if not NAMED.match(str(reason)):  # in the voice of NumPy or Python
                reason.args = (f"{name}: {reason}",)
            raise

    def resolved(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        out = None
        if (takes_out and "out" in kwargs) or of.spread in kwargs:
            kwargs = dict(kwargs)  # the caller's are looked at again after an error
            out = kwargs.pop("out", None) if takes_out else None
        for alias in of.aliases.keys() & kwargs.keys():
            if of.aliases[alias] in kwargs:
                raise TypeError(f"{function.__name__}: {of.aliases[alias]} is given twice, as {alias} too")
            kwargs[of.aliases[alias]] = kwargs.pop(alias)
        for what, value in kwargs.items():
            if real:
                check_real(of.stem, value)
            if what in plain and type(value) not in plain[what]:
                kwargs = kwargs | {what: plain_value(function.__name__, what, of.annotations[what], value)}
        if of.spread in kwargs:
            first = [kwargs.pop(of.first)] if of.first in kwargs and of.first != of.spread else []
            args = (*first, *args, kwargs.pop(of.spread))
        result = function(*args, **kwargs)
        return result if out is None else _put(function.__name__, result, out, [*args, *kwargs.values()])

    return cast(F, call)


@functools.cache
def kinds_of(annotation: str) -> set[type]:
    """The types that an annotation such as "int | None" takes; empty if there are others than the plain ones of `KINDS`."""
    names = annotation.split(" | ")
    return set().union(*(KINDS[name][0] for name in names)) if KINDS.keys() >= set(names) else set()


def plain_value(name: str, what: str, annotation: str, value: Any) -> Any:
    """`value`, a number of NumPy or in a 0-d tensor as Python's; raises TypeError unless it is of an annotated kind.

    NumPy's would widen float32 tensors, and a tensor would not be a part of the graph.
    """
    kinds, given = kinds_of(annotation), value
    if isinstance(value, np.generic) or (isinstance(value, Tensor) and not value.ndim and not value.requires_grad):
        value = value.item()
    if type(value) in kinds or (isinstance(value, tuple(kinds)) and not isinstance(value, bool)):
        return value
    wanted = " or ".join(KINDS[each][1] for each in annotation.split(" | ") if each != "None")
    raise TypeError(f"{name}: expected {what} to be {wanted}, got {given!r:.40} ({type(given).__name__})")


def check_tensors(name: str, annotations: Mapping[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise TypeError for an argument that is no tensor though its parameter is annotated as one."""
    for what, value in (*zip(annotations, args), *kwargs.items()):
        kinds = {*annotations.get(what, "").split(" | ")}
        given = "None" if value is None else type(value).__name__
        if given == "Tensor" and not isinstance(value, Tensor):
            raise TypeError(f"{name}: {what} is a {type(value).__module__}.Tensor; write from_dlpack({what})")
        if {"Tensor"} <= kinds <= {"Tensor", "PackedSequence", "None"} and not isinstance(value, Tensor) and given not in kinds:
            advice = f"; write tensor({what})" if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float)) else ""
            raise TypeError(f"{name}: expected a tensor for {what}, got {given}{advice}")


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _is_bare(value: Any) -> bool:
    return isinstance(value, np.generic) or is_array(value)


def parts_of(values: Iterable[Any]) -> Iterator[Any]:
    """The arguments, those inside lists and tuples one by one."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from parts_of(value)
        else:
            yield value


def _changed(value: Any, kind: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    """`value` with those of `kind` in it changed."""
    if isinstance(value, dict):
        return {key: _changed(entry, kind, change) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_changed(entry, kind, change) for entry in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return change(value) if kind(value) else value


def _put(name: str, result: Any, out: Any, inputs: list[Any], exact: bool = False) -> Any:
    """Copy `result` into `out`, a tensor or several, and return it; an `out` of another shape is resized, as in PyTorch.

    There is a warning then, unless it was empty. Whole numbers may be put among fractions, but neither positions nor, where
    they are several, `exact` results.
    """
    if not isinstance(out, Tensor if isinstance(result, Tensor) else (tuple, list)):
        wanted = "a tensor" if isinstance(result, Tensor) else "several tensors" if isinstance(result, tuple) else "nothing"
        raise TypeError(f"{name}: expected {wanted} as out=, got {type(out).__name__}")
    if not isinstance(out, Tensor):
        if len(out) != len(result):
            raise ValueError(f"{name}: out= has {len(out)} tensors for {len(result)} results")
        parts = [_put(name, *pair, inputs, exact=True) for pair in zip(result, out)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    check_writable(out, name)
    for x in filter(_is_tensor, parts_of(inputs)):
        alike = x.array.strides == out.array.strides and x.shape == out.shape == result.shape
        shared = x is out or array_module(out.array).shares_memory(x.array, out.array)
        if shared and (name in JOINING or not alike):
            raise RuntimeError(f"{name}: out= of shape {out.array.shape} shares memory with an input of shape {x.array.shape}")
    if result.requires_grad or out.requires_grad:
        raise RuntimeError(f"{name}: out= records nothing; use the result, or detach() what requires a gradient")
    whole = result.dtype.kind not in "fc" and out.dtype.kind in "fc" and not exact and name not in POSITIONS
    if result.dtype != out.dtype and not whole:
        raise TypeError(f"{name}: a {result.dtype} result cannot be put into a {out.dtype} tensor")
    if name in RANGES and result.numel() == out.numel():
        result = result.reshape(out.shape)
    if result.shape == out.shape:
        return copied(out, result, name)
    if out.numel():
        said = f"out= of shape {out.array.shape} gets shape {result.array.shape} and memory of its own"
        warnings.warn(f"{name}: {said}; give an empty tensor or one of that shape", stacklevel=4)
    out.array = result.array.astype(out.dtype, copy=False)
    return out
