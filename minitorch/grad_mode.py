"""Whether operations are recorded: a switch of each thread, for a block, a function or from here on."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    recording = True  # each thread starts like this


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return mode.recording


class _Recording:
    """A `with` block or decorator that sets recording to `wanted` and puts it back, also after an exception."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._previous: list[bool] = []  # a stack, so that one object may be entered twice

    def __enter__(self) -> None:
        self._previous.append(mode.recording)
        mode.recording = self._wanted

    def __exit__(self, *exception: object) -> None:
        mode.recording = self._previous.pop()

    def __call__(self, function: Callable) -> Callable:
        if inspect.isgeneratorfunction(function):
            raise TypeError(f"{type(self).__name__}: {function.__name__} is a generator; use a with block inside it")

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _Recording(self._wanted):
                return function(*args, **kwargs)

        return wrapped


class _BareDecorator(_Recording):
    """One that may stand above a function without brackets."""

    def __new__(cls, function: Callable | None = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)


class no_grad(_BareDecorator):
    """Record nothing inside: `with no_grad(): ...` or `@no_grad()`; raises TypeError around a generator function."""

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_BareDecorator):
    """Record inside, also within `no_grad`: `with enable_grad(): ...` or `@enable_grad()`."""

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled(_Recording):
    """Switch recording on or off for this thread: at once, and back at the end if used as a `with` block or decorator."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        super().__enter__()
        self._at_once = True  # the call itself has switched, and a block or decorator after it has not begun

    def __enter__(self) -> None:
        if not self._at_once:
            super().__enter__()
        self._at_once = False

    def __call__(self, function: Callable) -> Callable:
        if self._at_once:
            self._at_once = False
            self.__exit__()  # a decorator changes nothing until the function runs
        return super().__call__(function)
