"""The real CuPy's names and parameter lists (``surface.json``, written by ``make_surface.py``)."""

import json
import pathlib

_SURFACE = json.loads(pathlib.Path(__file__).with_name("surface.json").read_text())
VERSION: str = _SURFACE["version"]
MODULES: dict = _SURFACE["modules"]
CLASSES: dict = _SURFACE["classes"]

# Parameters for which CuPy wants numbers of the host, where NumPy would convert a 0-d array.
# fmt: off
HOST_ONLY = {
    "shape", "newshape", "new_shape", "axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "reps", "shift",
    "pad_width", "ndim", "ndmin", "dtype", "order", "k", "n", "N", "M", "m", "decimals", "kth", "indices_or_sections", "num",
    "source", "destination", "ddof", "keepdims", "size", "dims", "mode", "window_shape",
}
# fmt: on


class Parameters:
    """One parameter list such as ``"a, axis=, *, dtype="``."""

    def __init__(self, owner: str, text: str) -> None:
        self.owner = owner
        self.required: list[str] = []
        self.optional: list[str] = []
        self.keyword_only: set[str] = set()
        self.positional_only: set[str] = set()
        self.rest = self.any_keyword = None
        for part in text.split(", ") if text else ():
            name, equals = part.rstrip("="), part.endswith("=")
            if name == "/":
                self.positional_only = {*self.required, *self.optional}
            elif name.startswith("**"):
                self.any_keyword = name[2:]
            elif name.startswith("*"):
                self.rest = name[1:]
            elif self.rest is not None:
                self.keyword_only.add(name)
            else:
                (self.optional if equals else self.required).append(name)
        self.keywords = {*self.required, *self.optional, *self.keyword_only} - self.positional_only

    def bind(self, args: tuple, kwargs: dict) -> tuple[list, dict]:
        """``args`` and ``kwargs`` with required parameters by position and optional ones by name; TypeError as in CuPy.

        NumPy takes the result whatever it calls the first parameters and in whatever order it takes the others.
        """
        count = len(self.required)
        if len(args) <= count and not kwargs:
            return list(args), {}
        positional, named = list(args[:count]), dict(zip(self.optional, args[count:]))
        extra = args[count + len(self.optional) :]
        if self.rest:
            positional, named = list(args), {}
        elif extra:
            raise TypeError(
                f"{self.owner}() takes at most {count + len(self.optional)} positional arguments ({len(args)} given)"
            )
        for name, value in kwargs.items():
            if name not in self.keywords and self.any_keyword is None:
                raise TypeError(f"{self.owner}() got an unexpected keyword argument {name!r}")
            if name in named or name in self.required[: len(positional)]:
                raise TypeError(f"{self.owner}() got multiple values for argument {name!r}")
            named[name] = value
        for name in self.required[len(positional) :]:
            if name not in named:
                raise TypeError(f"{self.owner}() missing required argument {name!r}")
            positional.append(named.pop(name))
        return positional, named
