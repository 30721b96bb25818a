"""Write ``surface.json``: the names, parameters and ufunc methods of the installed CuPy.

Needs a ``cupy`` wheel but no GPU: everything is read from signatures, from docstrings (Cython methods carry theirs
there) and by calling ``ufunc.at`` and ``ufunc.reduce`` with a recording object. Run it in an environment of its own::

    python -m venv cupyvenv && cupyvenv/bin/pip install cupy-cuda12x numpy
    cupyvenv/bin/python tests/fakecupy/make_surface.py
"""

import inspect
import json
import pathlib
import re
import types

import cupy
import numpy

TARGET = pathlib.Path(__file__).with_name("surface.json")
MODULES = (
    "cupy",
    "cupy.cuda",
    "cupy.cuda.runtime",
    "cupy.fft",
    "cupy.lib",
    "cupy.lib.stride_tricks",
    "cupy.linalg",
    "cupy.random",
)
CLASSES = {"ndarray": cupy.ndarray, "RandomState": cupy.random.RandomState, "Generator": cupy.random.Generator}


class Recorder:
    """An operand that answers with the name of the array method a ufunc method hands its work to."""

    def _scatter_op(self, indices, values, op):
        self.op = op

    def __getattr__(self, name):
        return lambda *args: name


def parameters(function) -> str:
    """``"a, axis=, *, dtype="``: names, kinds and which of them may be left out; the default values are not kept."""
    try:
        text = str(inspect.signature(function)).partition(" ->")[0]
    except ValueError:
        text = re.match(r"[\w.]+(\(.*?\))", function.__doc__, re.DOTALL).group(1)
    parts = []
    for part in re.sub(r"\([^()]*\)|<[^<>]*>|\[[^\[\]]*\]", "", text.strip()[1:-1]).split(","):
        name, equals, _ = part.strip().partition("=")
        name = name.partition(":")[0].split(" ")[-1] if name not in "*/" else name
        if name not in ("self", ""):
            parts.append(name + equals)
    return ", ".join(parts)


def ufunc_entry(ufunc) -> str:
    """``"2 1 bcfiu at reduce"``: arity, the kinds of dtype its loops take, the methods that do not raise."""
    chars = {char for loop in ufunc.types for char in loop.split("->")[0]}
    kinds = {numpy.dtype(char).kind for char in chars if char in numpy.typecodes["All"]}  # not bfloat16, which onnx brings
    words = [str(ufunc.nin), str(ufunc.nout), "".join(sorted(kinds))]
    for method, args in {"at": (0, 0), "reduce": (), "accumulate": (), "reduceat": (0,)}.items():
        try:
            getattr(ufunc, method)(Recorder(), *args)
        except NotImplementedError:
            continue
        words.append(method)
    return " ".join(words)


def module_surface(path: str) -> dict:
    """The public names of one module by what they are; ``numpy`` lists those that are NumPy's own objects."""
    module, twin = cupy, numpy
    for part in path.split(".")[1:]:
        module, twin = getattr(module, part), getattr(twin, part, None)
    surface = {"ufuncs": {}, "functions": {}, "numpy": [], "other": []}
    for name in sorted(dir(module)):
        value = getattr(module, name)
        imported = isinstance(value, types.ModuleType) and not value.__name__.startswith("cupy.")
        if name.startswith("_") or imported or name == "annotations":
            continue
        if isinstance(value, cupy.ufunc):
            surface["ufuncs"][name] = ufunc_entry(value)
        elif twin is not None and value is getattr(twin, name, surface):
            surface["numpy"].append(name)
        elif callable(value) and not isinstance(value, (type, types.ModuleType)):
            surface["functions"][name] = parameters(value)
        else:
            surface["other"].append(name)
    return {kind: entries for kind, entries in surface.items() if entries}


def class_surface(cls) -> dict:
    """The public methods of one class with their parameters, its attributes, and the special methods it defines."""
    surface = {"methods": {}, "attributes": [], "special": []}
    for name in sorted(dir(cls)):
        value = getattr(cls, name)
        if name.startswith("__"):  # Python shows the last two from 3.12 on
            surface["special"] += [name] * (not hasattr(object, name) and name not in ("__buffer__", "__release_buffer__"))
        elif not name.startswith("_") and callable(value):
            surface["methods"][name] = parameters(value)
        elif not name.startswith("_"):
            surface["attributes"].append(name)
    return surface


def surface() -> dict:
    """Everything the stand-in is gated by."""
    return {
        "version": cupy.__version__,
        "modules": {path: module_surface(path) for path in MODULES},
        "classes": {name: class_surface(cls) for name, cls in CLASSES.items()},
    }


if __name__ == "__main__":
    text = json.dumps(surface(), indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda match: " ".join(match.group().split()), text)  # a list of names: one line
    TARGET.write_text(text + "\n")
    print(f"{TARGET.name}: CuPy {cupy.__version__}, {len(text)} characters")
