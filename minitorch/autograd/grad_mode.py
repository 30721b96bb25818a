"""Per-thread switches: whether operations are recorded, which `Watch` observes them, and what complex numbers stand for.

These three and the default device belong to one thread, all other settings to the whole process, as in PyTorch.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast, overload

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")


class _Mode(threading.local):
    recording = True  # each thread starts like this
    watch: Any = None  # a `minitorch.autograd.watch.Watch`, such as anomaly mode
    complex_step = False  # whether complex numbers stand for real ones, moved a little: these are compared and have gradients


mode: Final = _Mode()
watched: Final[list[Any]] = []  # the watches of all threads: while there is none, none needs the time to look for its own


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return mode.recording


class Switch:
    """A `with` block or decorator that sets a field of `mode` to `wanted` and puts it back, also after an exception."""

    @overload
    def __new__(cls, function: F, /) -> F: ...  # type: ignore[misc]
    @overload
    def __new__(cls: type[S], *arguments: Any, **options: Any) -> S: ...

    def __new__(cls: Any, *arguments: Any, **options: Any) -> Any:
        """A decorator may stand without parentheses."""
        return cls()(arguments[0]) if arguments and callable(arguments[0]) else object.__new__(cls)

    def __init__(self, wanted: Any, field: str = "recording") -> None:
        self._wanted, self._field = wanted, field
        self._previous: list[Any] = []  # a stack, so that one object may be entered twice

    def __enter__(self) -> None:
        if self._field == "watch" and self._wanted is not None:
            if mode.watch is not None:
                mode.watch.make_room_for(self._wanted)
            watched.append(self._wanted)
        self._previous.append(getattr(mode, self._field))
        setattr(mode, self._field, self._wanted)

    def __exit__(self, *exception: object) -> None:
        setattr(mode, self._field, self._previous.pop())
        if self._field == "watch" and self._wanted is not None:
            watched.remove(self._wanted)

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with Switch(self._wanted, self._field):
                return function(*args, **kwargs)

        return cast(F, wrapped)

    def _around_generator(self, function: Callable[..., Any]) -> Any:
        """Switch during each step of the generator only, so that the loop that consumes it is not affected."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            step, given = generator.send, None
            while True:
                try:
                    with Switch(self._wanted, self._field):
                        value = step(given)
                except StopIteration as end:
                    return end.value
                try:
                    step, given = generator.send, (yield value)
                except BaseException as reason:  # GeneratorExit too
                    step, given = generator.throw, reason

        return wrapped


class no_grad(Switch):
    """Record nothing inside: `with no_grad(): ...` or `@no_grad()`, also around a generator function."""

    def __init__(self) -> None:
        super().__init__(False)


class inference_mode(Switch):
    """`no_grad` under PyTorch's newer name: `with inference_mode(): ...`; `inference_mode(False)` records, also within another.

    Unlike in PyTorch the tensors made inside may be used in recorded operations later.
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)


class enable_grad(Switch):
    """Record inside, also within `no_grad`: `with enable_grad(): ...` or `@enable_grad()`."""

    def __init__(self) -> None:
        super().__init__(True)


class SwitchAtOnce(Switch):
    """A switch that takes effect when it is made: from there on, or until the end of the `with` block or decorated function."""

    def __init__(self, wanted: Any, field: str = "recording") -> None:
        super().__init__(wanted, field)
        super().__enter__()
        self._at_once = True  # already switched by __init__; a following `with` or decorator must not switch twice

    def __enter__(self) -> None:
        if not self._at_once:
            super().__enter__()
        self._at_once = False

    def __call__(self, function: F) -> F:
        if self._at_once:
            self._at_once = False
            self.__exit__()  # a decorator changes nothing until the function runs
        return super().__call__(function)


class set_grad_enabled(SwitchAtOnce):
    """Switch recording on or off for this thread: at once, and back at the end if used as a `with` block or decorator."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
