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
from typing import Any, Final, TypeVar, cast

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, is_array
from minitorch.ops.inplace import check_writable, copied
from minitorch.ops.promotion import REAL, check_real

JOINING: Final = {"cat", "stack", "hstack", "vstack"}  # these write one input before they read the next
NUMPYS: Final = {"axis": "dim", "keepdims": "keepdim"}
OVERLOADS: dict[str, dict[str, str]] = {
    "expand": {"size": "sizes"},
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
        if getattr(value, "__module__", "").startswith(modules):
            names[name] = with_keywords(value, takes_out)


def with_keywords(function: F, takes_out: bool | None = None) -> F:
    """`function` with PyTorch's alternative keywords; a method (`takes_out` None) is returned as it is if it needs none."""
    stem = function.__name__.rstrip("_")  # `scatter_` has what `scatter` has
    real, parameters = stem in REAL, inspect.signature(function).parameters
    takes_tensors = any(p.annotation == "Tensor" for p in list(parameters.values())[1:])
    takes_tensor = any("Tensor" in str(p.annotation) for p in parameters.values())
    first = next(iter(parameters), "")
    spread = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), "")
    others = {alias: name for alias, name in NUMPYS.items() if name in parameters and alias not in parameters}
    overloads = OVERLOADS.get(stem, {})
    others |= {alias: name for alias, name in overloads.items() if alias not in parameters}
    plain = {what: kinds for what, p in parameters.items() if (kinds := kinds_of(p.annotation))}
    positional = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    places = [(i, what, plain[what]) for i, what in enumerate(positional) if what in plain]
    least = places[0][0] if places else len(parameters)
    if not (others or spread or takes_tensors or plain or takes_out is not None or real):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            if real:
                check_real(stem, (*args, *kwargs.values()))
            if len(args) > least:
                for i, what, kinds in places:
                    if i >= len(args):
                        break
                    if type(args[i]) not in kinds:
                        args = (*args[:i], plain_value(function.__name__, parameters[what], args[i]), *args[i + 1 :])
            return function(*args) if not kwargs else resolved(args, kwargs)
        except (AttributeError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as reason:
            name, number = function.__name__, NUMBER_FIRST.get(stem, "")
            if number and number not in kwargs and len(args) > 2 and isinstance(args[1], (int, float)) and _is_tensor(args[2]):
                warnings.warn(f"{name}: a number before the tensors is old; write {number}={args[1]!r:.9}", stacklevel=2)
                return call(args[0], *args[2:], **{number: args[1]}, **kwargs)
            given = list(parts_of((*args, *kwargs.values())))
            if takes_tensor and any(map(_is_bare, given)) and not any(map(_is_tensor, given)):
                args, kwargs = _changed((args, kwargs), _is_bare, lambda array: wrap(array_module(array).asarray(array)))
                return _changed(call(*args, **kwargs), _is_tensor, lambda tensor: tensor.array)
            check_tensors(name, parameters, args, kwargs)
            if not NAMED.match(str(reason)):  # in the voice of NumPy or Python
                reason.args = (f"{name}: {reason}",)
            raise

    def resolved(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        out = None
        if (takes_out and "out" in kwargs) or spread in kwargs:
            kwargs = dict(kwargs)  # the caller's are looked at again after an error
            out = kwargs.pop("out", None) if takes_out else None
        for alias in others.keys() & kwargs.keys():
            if others[alias] in kwargs:
                raise TypeError(f"{function.__name__}: {others[alias]} is given twice, as {alias} too")
            kwargs[others[alias]] = kwargs.pop(alias)
        for what, value in kwargs.items():
            if what in plain and type(value) not in plain[what]:
                kwargs = kwargs | {what: plain_value(function.__name__, parameters[what], value)}
        if spread in kwargs:
            args = (*([kwargs.pop(first)] if first in kwargs and first != spread else []), *args, kwargs.pop(spread))
        result = function(*args, **kwargs)
        return result if out is None else _put(function.__name__, result, out, [*args, *kwargs.values()])

    return cast(F, call)


def kinds_of(annotation: Any) -> set[type]:
    """The types that an annotation such as "int | None" takes; empty if there are others than the plain ones of `KINDS`."""
    names = str(annotation).split(" | ")
    return set().union(*(KINDS[name][0] for name in names)) if KINDS.keys() >= set(names) else set()


def plain_value(name: str, parameter: inspect.Parameter, value: Any) -> Any:
    """`value`, a number of NumPy or in a 0-d tensor as Python's; raises TypeError unless it is of an annotated kind.

    NumPy's would widen float32 tensors, and a tensor would not be a part of the graph.
    """
    kinds, given = kinds_of(parameter.annotation), value
    if isinstance(value, np.generic) or (isinstance(value, Tensor) and not value.ndim and not value.requires_grad):
        value = value.item()
    if type(value) in kinds or (isinstance(value, tuple(kinds)) and not isinstance(value, bool)):
        return value
    wanted = " or ".join(KINDS[each][1] for each in parameter.annotation.split(" | ") if each != "None")
    raise TypeError(f"{name}: expected {parameter.name} to be {wanted}, got {given!r:.40} ({type(given).__name__})")


def check_tensors(name: str, parameters: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise TypeError for an argument that is no tensor though its parameter is annotated as one."""
    for what, value in (*zip(parameters, args), *kwargs.items()):
        kinds = {*str(parameters[what].annotation).split(" | ")} if what in parameters else set()
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


def _put(name: str, result: Any, out: Any, inputs: list[Any]) -> Any:
    """Copy `result` into `out`, a tensor or several, and return it; an `out` of another shape is resized, as in PyTorch."""
    if not isinstance(out, Tensor if isinstance(result, Tensor) else (tuple, list)):
        wanted = "a tensor" if isinstance(result, Tensor) else "several tensors" if isinstance(result, tuple) else "nothing"
        raise TypeError(f"{name}: expected {wanted} as out=, got {type(out).__name__}")
    if not isinstance(out, Tensor):
        if len(out) != len(result):
            raise ValueError(f"{name}: out= has {len(out)} tensors for {len(result)} results")
        parts = [_put(name, *pair, inputs) for pair in zip(result, out)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    check_writable(out, name)
    for x in filter(_is_tensor, parts_of(inputs)):
        alike = x.array.strides == out.array.strides and x.shape == out.shape == result.shape
        shared = x is out or array_module(out.array).shares_memory(x.array, out.array)
        if shared and (name in JOINING or not alike):
            raise RuntimeError(f"{name}: out= of shape {out.array.shape} shares memory with an input of shape {x.array.shape}")
    if result.requires_grad or out.requires_grad:
        raise RuntimeError(f"{name}: out= records nothing; use the result, or detach() what requires a gradient")
    if result.dtype != out.dtype and (result.dtype.kind in "fc" or out.dtype.kind not in "fc"):  # whole numbers into fractions
        raise TypeError(f"{name}: a {result.dtype} result cannot be put into a {out.dtype} tensor")
    if result.shape == out.shape:
        return copied(out, result, name)
    out.array = result.array.astype(out.dtype, copy=False)
    return out
