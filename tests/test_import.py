"""How the pieces fit: what importing needs, which module may know which, and where NumPy itself may be called."""

import ast
import functools
import graphlib
import pickle
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import layers
import minitorch

ROOT = Path(__file__).parents[1]

# From the bottom up: a module may import those above its line, and others of its own line's package.
# fmt: off
ORDER = [
    "minitorch.backend", "minitorch.threads", "minitorch.accumulate", "minitorch.autograd.grad_mode", "minitorch.autograd.float_errors", "minitorch.files", "minitorch.files.atomic", "minitorch.files.layout", "minitorch.memory",
    "minitorch.printing",
    "minitorch.autograd.description", "minitorch.autograd.node", "minitorch.autograd.views", "minitorch.conversion", "minitorch.autograd.tensor", "minitorch.autograd.copies", "minitorch.autograd.errors", "minitorch.autograd.watch",
    "minitorch.autograd.anomaly", "minitorch.autograd.changes", "minitorch.autograd.gradients", "minitorch.autograd.outputs", "minitorch.autograd.op",
    "minitorch.autograd.hooks", "minitorch.autograd.recorded", "minitorch.autograd.function", "minitorch.autograd.backward", "minitorch.autograd.partial", "minitorch.random",
    "minitorch.ops",
    "minitorch.keywords", "minitorch.fields",
    "minitorch.creation",
    "minitorch.sampling",
    "minitorch.tensor_types",
    "minitorch.amp",
    "minitorch.jit",
    "minitorch.version",
    "minitorch.linalg",
    "minitorch.testing",
    "minitorch.autograd.differences", "minitorch.autograd.mistakes", "minitorch.autograd.trial",
    "minitorch.autograd.jacobians", "minitorch.autograd.explain", "minitorch.autograd.gradcheck", "minitorch.autograd.variable", "minitorch.autograd.functional", "minitorch.autograd", "minitorch.tensor_methods", "minitorch.operators", "minitorch.methods",
    "minitorch.functional", "minitorch.cuda", "minitorch.backends", "minitorch.accelerator", "minitorch.files.serialization", "minitorch.optim", "minitorch.utils", "minitorch.distributions", "minitorch.data",
    "minitorch.files.checkpoint", "minitorch.check", "minitorch.explorer", "minitorch.onnx", "minitorch", "minitorch.vision", "minitorch.doctor", "layers", "minitorch.as_torch", "minitorch.run",
]
# fmt: on

# Of NumPy every module may use what describes arrays; CuPy's arrays have the same dtypes.
# fmt: off
DESCRIBES = {
    "bool_", "can_cast", "dtype", "errstate", "finfo", "float16", "float32", "float64", "generic", "iinfo", "int64",
    "integer", "ndarray", "promote_types", "result_type", "uint8", "uint32",
}
# fmt: on
# Calling NumPy's functions is for these, which work on the host; anywhere else it would fail, or copy, on a GPU.
HOST = {
    "minitorch.ops.resize": "computes on the host which elements are taken with which weights: a few numbers a line",
    "minitorch.doctor": "asks NumPy what it is",
    "minitorch.printing": "numbers are written on the host",
    "minitorch.backend": "the only place that knows two libraries",
    "minitorch.autograd.copies": "the memory of a copy on the host",
    "minitorch.conversion": "reads numbers and lists, and prints",
    "minitorch.creation": "counts on the host, so that both devices start alike",
    "minitorch.random": "seeds and states",
    "minitorch.sampling": "draws on the host",
    "minitorch.autograd.gradcheck": "compares on the host",
    "minitorch.autograd.differences": "moves numbers on the host",
    "minitorch.check.exercises": "numbers to try rules on, on the host",
    "minitorch.check.properties": "compares on the host",
    "minitorch.autograd.trial": "runs operations on the host",
    "minitorch.autograd.jacobians": "compares on the host",
    "minitorch.autograd.explain": "compares on the host",
    "minitorch.files.layout": "files hold host arrays",
    "minitorch.onnx": "files hold host arrays",
    "minitorch.utils.data": "positions of samples, and samples that are NumPy arrays",
    "minitorch.data": "digits are files, read on the host",
    "minitorch.vision": "pictures are files, read and written on the host",
}
FUNCTIONS = {
    ("minitorch.files.serialization", "frombuffer"): "the bytes of a pickle, on the host",
    ("minitorch.autograd.float_errors", "seterr"): "how NumPy reports floating-point errors",
    ("minitorch.autograd.recorded", "asarray"): "an array of a 0-d result, which NumPy makes a scalar",
    ("minitorch.autograd.outputs", "asarray"): "an array of a 0-d result, which NumPy makes a scalar",
    ("minitorch.autograd.gradients", "asarray"): "an array of a 0-d result, which NumPy makes a scalar",
    ("minitorch.ops.promotion", "asarray"): "an array of a 0-d result, which NumPy makes a scalar",
    ("minitorch.ops.joining", "broadcast_shapes"): "computes with shapes alone",
    ("minitorch.ops.pool", "arange"): "where windows lie: one number a row of output",
    ("minitorch.ops.pool", "minimum"): "where windows lie",
    ("minitorch.ops.pool", "maximum"): "where windows lie",
    ("minitorch.ops.pool", "outer"): "where windows lie",
    ("minitorch.optim.adagrad", "zeros"): "the count of steps, which stays on the host",
    ("minitorch.optim.strips", "zeros"): "the count of steps, which stays on the host",
    ("minitorch.optim.optimizer", "asarray"): "the count of steps, which stays on the host",
    ("minitorch.optim.clip", "zeros"): "the norm of no gradient at all",
    ("layers.init", "nan"): "a truncated normal start, drawn on the host",
    ("layers.init", "linalg"): "an orthogonal start, drawn on the host",
    ("layers.init", "where"): "an orthogonal or truncated start, drawn on the host",
    ("layers.init", "diag"): "an orthogonal start, drawn on the host",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module of `minitorch` and `layers`, parsed."""
    paths = [path for package in ("minitorch", "layers") for path in sorted((ROOT / package).rglob("*.py"))]
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths}


def for_checkers(tree: ast.AST) -> set[int]:
    """The ids of the parts of `tree` that type checkers alone read."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {id(part) for node in blocks for statement in node.body for part in ast.walk(statement)}


def imports(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """(module, name taken from it or None) for every import in `tree` that Python runs: not those for type checkers alone."""
    unseen = for_checkers(tree)
    for node in (node for node in ast.walk(tree) if id(node) not in unseen):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from ((node.module, alias.name) for alias in node.names)


def own_imports(name: str) -> set[str]:
    """The modules of ours that module `name` imports."""
    found = set()
    for module, taken in imports(modules()[name]):
        if module.partition(".")[0] in ("minitorch", "layers"):
            found.add(f"{module}.{taken}" if f"{module}.{taken}" in modules() else module)
    return found - {name}


def place(name: str) -> str:
    """The line of ORDER that `name` belongs to: the longest that begins it."""
    fitting = [entry for entry in ORDER if name == entry or name.startswith(entry + ".")]
    return max(fitting, key=len)


def run(program: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# ---- what importing needs ------------------------------------------------------------------------------------------------


def test_every_module_imports_with_numpy_alone():
    program = f"""
        import importlib, sys

        class OnlyNumPy:
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                if top not in {{"numpy", "minitorch", "layers"}} and top not in sys.stdlib_module_names:
                    raise ImportError(f"{{name}} is not NumPy")

        sys.meta_path.insert(0, OnlyNumPy())
        for name in {sorted(modules())!r}:
            importlib.import_module(name)
        print("done")
    """
    assert run(program) == "done\n"


def test_a_net_trains_with_numpy_alone():
    program = """
        import sys

        class OnlyNumPy:
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                if top not in {"numpy", "minitorch", "layers"} and top not in sys.stdlib_module_names:
                    raise ImportError(f"{name} is not NumPy")

        sys.meta_path.insert(0, OnlyNumPy())
        import minitorch as torch
        import layers as nn
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
        losses = []
        for _ in range(20):
            loss = nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(losses[-1] < losses[0])
    """
    assert run(program) == "True\n"


def test_public_functions_can_be_pickled_as_a_net_needs_that_keeps_one():
    functions = [
        (f"{space.__name__}.{name}", value)
        for space in (minitorch, minitorch.functional, minitorch.linalg, layers.functional, layers.init)
        for name, value in vars(space).items()
        if isinstance(value, types.FunctionType) and not name.startswith("_")
    ]
    assert len(functions) > 300
    for name, function in functions:
        assert pickle.loads(pickle.dumps(function)) is function, name


def test_importing_starts_no_thread_prints_nothing_and_leaves_numpys_settings_alone():
    program = """
        import threading, warnings
        import numpy as np
        warnings.simplefilter("error")
        before = np.geterr(), np.get_printoptions(), np.random.get_state()[1].tolist()
        import minitorch, layers
        assert before == (np.geterr(), np.get_printoptions(), np.random.get_state()[1].tolist())
        assert threading.active_count() == 1
    """
    assert run(program) == ""


def test_what_takes_long_to_import_and_few_programs_use_is_imported_when_it_is_used():
    program = """
        import sys
        import numpy
        already = set(sys.modules)
        import minitorch, layers
        late = {"numpy.random", "hashlib", "secrets", "minitorch.distributions", "minitorch.explorer", "minitorch.files", "minitorch.onnx"}
        print(*sorted(late & (set(sys.modules) - already)))
        assert {"distributions", "explore", "onnx", "load", "save_checkpoint"} <= set(dir(minitorch))
        minitorch.distributions.Normal, minitorch.onnx.export, minitorch.explore, minitorch.load
        print(*sorted(name for name in late & set(sys.modules) if name.startswith("minitorch")))
    """
    assert run(program) == "\nminitorch.distributions minitorch.explorer minitorch.files minitorch.onnx\n"


def test_the_version_is_read_without_importing_the_package():
    """An isolated build has no NumPy, so a setup.py that imports the package for its version fails there."""
    imported = {module.partition(".")[0] for module, _ in imports(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")))}
    assert not imported & {"minitorch", "layers", "numpy"}


# ---- which module may know which -----------------------------------------------------------------------------------------


def test_every_module_has_its_place():
    assert all(place(name) != "minitorch" for name in modules() if name != "minitorch" and name.startswith("minitorch")), (
        "a new module: give it a line in ORDER"
    )


@pytest.mark.parametrize("name", modules())
def test_arrows_point_down(name):
    own = place(name)
    below = ORDER[: ORDER.index(own)]
    for other in own_imports(name):
        inside = place(other) == own and own not in ("minitorch",)
        assert place(other) in below or inside, f"{name} imports {other}, which stands above it"


def test_no_module_imports_one_of_a_later_row_of_the_page():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([\w/]+)", line.split("|")[2]) for line in page.splitlines() if re.match(r"\| \d \|", line)]
    row_of = {name.strip("/"): i for i, row in enumerate(rows) for name in row}
    row = {name: row_of.get(name.removeprefix("minitorch.").partition(".")[0]) for name in modules()}
    arrows = [(a, b) for a in row for b in own_imports(a) if row[a] is not None and row[b] is not None]
    assert len(rows) == 9 and len(arrows) > 200 and not [(a, b) for a, b in arrows if row[a] < row[b]]


def test_there_are_no_circles():
    list(graphlib.TopologicalSorter({name: own_imports(name) for name in modules()}).static_order())


def test_the_engine_knows_no_operation():
    engine = [name for name in modules() if name.startswith("minitorch.autograd.") and not name.endswith(".gradcheck")]
    for name in [*engine, "minitorch.backend", "minitorch.random"]:
        assert not any(other.startswith("minitorch.ops") for other in own_imports(name)), name


@pytest.mark.parametrize("name", modules())
def test_nothing_of_ours_is_imported_inside_a_function(name):
    for node in ast.walk(modules()[name]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for module, _ in imports(node):
                assert module.partition(".")[0] not in ("minitorch", "layers"), f"{module} in {node.name}: a circle dodged"


@pytest.mark.parametrize("name", modules())
def test_only_the_standard_library_and_numpy_are_imported_with_a_module(name):
    tree = modules()[name]
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for part in ast.walk(node)}
    inside |= for_checkers(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and id(node) not in inside:
            for module, _ in imports(node):
                top = module.partition(".")[0]
                assert top in {"numpy", "minitorch", "layers"} or top in sys.stdlib_module_names, f"{name} imports {module}"


def test_cupy_is_imported_by_the_backend_only():
    importers = {name for name in modules() if any(module.startswith("cupy") for module, _ in imports(modules()[name]))}
    assert importers == {"minitorch.backend"}


# ---- where NumPy itself may be called ------------------------------------------------------------------------------------


def numpy_names(tree: ast.AST) -> set[str]:
    """The names of NumPy that a module uses as `np.name`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy")
    }


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in modules()
        if n not in HOST
        and not n.startswith(("minitorch.data.", "minitorch.utils.data.", "minitorch.vision.", "minitorch.explorer."))
    ],
)
def test_what_runs_on_a_gpu_calls_no_function_of_numpy(name):
    called = numpy_names(modules()[name]) - DESCRIBES
    unknown = {attribute for attribute in called if (name, attribute) not in FUNCTIONS}
    assert not unknown, f"{name} calls np.{', np.'.join(sorted(unknown))}: use array_module(array), or say in FUNCTIONS why not"


@pytest.mark.parametrize("name", modules())
def test_numpy_is_imported_under_its_usual_name_and_as_a_whole(name):
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            assert all(alias.asname == "np" for alias in node.names if alias.name == "numpy")
        if isinstance(node, ast.ImportFrom):
            assert node.module != "numpy", f"{name}: from numpy import ... hides which functions are NumPy's"


def test_the_exceptions_are_still_needed():
    used = {(name, attribute) for name, tree in modules().items() for attribute in numpy_names(tree)}
    assert set(FUNCTIONS) <= used, f"no longer used: {sorted(set(FUNCTIONS) - used)}"
    assert all(name in modules() for name in HOST)
