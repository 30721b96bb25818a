"""What type checkers and editors know: the names of the static side are those that exist, and users' programs run as checked.

`mypy --strict` and pyright themselves are run over `tests/typing` by the project's checks; a run takes too long for here.
"""

import ast
import importlib.util
import inspect
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import layers
import minitorch as mt
from minitorch import functional, methods, operators
from minitorch.conversion import Conversion
from minitorch.fields import Fields
from minitorch.operators import Operators

PROGRAMS = sorted((Path(__file__).parent / "typing").glob("*.py"))
BY_PYTHON = set(vars(type("Nothing", (), {"__slots__": ()}))) | {"__annotations__", "__weakref__", "__hash__"}
BY_PYTHON |= {"__annotate_func__", "__annotations_cache__", "__static_attributes__", "__firstlineno__"}  # of later Pythons


def bound(body: list[ast.stmt]) -> set[str]:
    """The names that a module or class body binds, as a type checker sees it."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            found |= bound(node.body)
    return found


def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def in_class(kind: type) -> set[str]:
    """The names in the body of a class, and of the classes that its file says it inherits from."""
    module = importlib.import_module(kind.__module__)
    (body,) = (node.body for node in tree_of(module).body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return bound(body)


def test_the_members_of_tensor_are_those_that_type_checkers_see():
    static = set().union(*map(in_class, (mt.Tensor, methods.Methods, Operators, Conversion)))
    runtime = {name for kind in mt.Tensor.__mro__ if kind is not object for name in vars(kind)}
    assert static - BY_PYTHON == runtime - BY_PYTHON
    assert len(static) > 300


@pytest.mark.parametrize("module", [mt, functional, layers, mt.autograd, mt.optim, mt.utils.data, mt.optim.lr_scheduler])
def test_the_public_names_of_a_module_are_those_that_type_checkers_see(module):
    ours = {name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)}
    assert ours - {"Final", "bool_", "keep_freed_memory", "show_in_help", "take_keywords"} <= set(module.__all__)
    assert set(module.__all__) <= bound(tree_of(module).body)
    assert all(hasattr(module, name) for name in module.__all__)


def fields(kind: type) -> dict[str, str]:
    """The fields in the bodies of a class and its bases, which type checkers take as arguments, with defaults."""
    found: dict[str, str] = {}
    by_keyword: set[str] = set()
    for base in (base for base in reversed(kind.__mro__) if issubclass(base, Fields) and base is not Fields):
        body = tree_of(importlib.import_module(base.__module__)).body
        (node,) = (node for node in body if isinstance(node, ast.ClassDef) and node.name == base.__name__)
        parts = [
            part for part in node.body if isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.unparse(part.annotation)
        ]
        names = [part.target.id for part in parts]
        found |= {part.target.id: ast.unparse(part.value) if part.value else "" for part in parts if part.target.id != "_"}
        by_keyword |= set(names[names.index("_") + 1 :] if "_" in names else [])
    return dict(sorted(found.items(), key=lambda item: item[0] in by_keyword))


@pytest.mark.parametrize("module, least", [(layers, 40), (mt.optim, 8), (mt.optim.lr_scheduler, 12)])
def test_the_arguments_of_a_class_are_the_fields_that_type_checkers_see(module, least):
    declared = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Fields)]
    assert len(declared) >= least
    for kind in declared:
        given = inspect.signature(kind).parameters.values()
        runtime = {p.name: "" if p.default is p.empty else p.default for p in given}
        names = vars(importlib.import_module(kind.__module__))
        static = {name: eval(default, names) if default else "" for name, default in fields(kind).items()}
        assert list(static.items()) == list(runtime.items()), kind
        if hasattr(kind, "function"):
            assert set(kind.options) <= set(inspect.signature(kind.function).parameters), kind


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: layers.Threshold(1.0), "Threshold: missing a required argument: 'value'"),
        (lambda: layers.LSTM(2, 2, layers=3), "LSTM: got an unexpected keyword argument 'layers'"),
        (lambda: mt.optim.SGD([mt.zeros(1)], 0.1, 0, 0, 0, False, True), "SGD: too many positional arguments"),
        (
            lambda: mt.optim.lr_scheduler.StepLR(None, step_size=1, optimizer=3),
            "StepLR: multiple values for argument 'optimizer'",
        ),
    ],
)
def test_other_arguments_are_refused_with_the_name_of_the_class(make, said):
    with pytest.raises(TypeError, match=said):
        make()


def test_a_subclass_may_have_a_constructor_and_fields_of_its_own():
    class Wide(layers.Embedding):
        note: str = "kept"

        def __init__(self, width: int) -> None:
            super().__init__(3, width)

    class Scaled(layers.LeakyReLU):
        scale: float = 2.0

        def forward(self, input: mt.Tensor) -> mt.Tensor:
            return mt.functional.leaky_relu(input, self.negative_slope) * self.scale

    assert Wide(5).weight.shape == (3, 5) and Wide(5).note == "kept"
    assert Scaled(0.5, scale=10.0)(mt.tensor([-1.0, 1.0])).tolist() == [-5.0, 10.0]


def test_operators_have_their_own_names_and_say_what_they_do():
    given = {name: member for name, member in vars(Operators).items() if isinstance(member, FunctionType)}
    assert len(given) > 40
    for name, member in given.items():
        assert getattr(mt.Tensor, name) is member
        assert member.__name__ == name
        assert member.__doc__, name


def test_methods_have_their_own_names_and_say_what_they_do():
    for name, member in vars(mt.Tensor).items():
        if isinstance(member, FunctionType) and not name.startswith("_"):
            assert member.__doc__, name
            assert not member.__name__.startswith("_"), name
            assert member.__name__ not in ("method", "function"), name


@pytest.mark.parametrize("module", [mt, methods, operators])
def test_no_loop_variable_is_left_in_a_module(module):
    loops = [node.target for node in tree_of(module).body if isinstance(node, ast.For)]
    left = {part.id for target in loops for part in ast.walk(target) if isinstance(part, ast.Name)}
    assert not left & set(vars(module))


def test_in_place_forms_take_what_their_functions_take():
    x = mt.tensor([4.0, 9.0])
    assert x.add_(1, alpha=2).sub_(other=2).clamp_(min=5.0).tolist() == [5.0, 9.0]
    assert x.__class__.add_.__name__ == "add_"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_users_program_runs(path, capsys):
    spec = importlib.util.spec_from_file_location(f"typing_{path.stem}", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    program.main()
    assert "nan" not in capsys.readouterr().out


def test_there_are_two_programs():
    assert {"training", "extending"} <= {path.stem for path in PROGRAMS}
