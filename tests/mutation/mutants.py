"""The mutants: what Cosmic Ray's operators make of the code in scope, and statements left out."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.mutation.graft import content
from tests.mutation.scope import ROOT, files

# Cosmic Ray replaces each operator by every other; these are the ones taken. Arithmetic: the inverse and one more.
# fmt: off
ARITHMETIC = {
    "Add": ("Sub", "Mul"), "Sub": ("Add", "Mul"), "Mul": ("Div", "Add"), "Div": ("Mul", "Sub"), "FloorDiv": ("Mul", "Div"),
    "Mod": ("FloorDiv", "Mul"), "Pow": ("Mul", "Add"), "BitAnd": ("BitOr", "BitXor"), "BitOr": ("BitAnd", "BitXor"),
    "LShift": ("RShift",), "RShift": ("LShift",), "BitXor": ("BitAnd", "BitOr"),
}
# fmt: on
# Comparisons: the opposite, and the neighbour that differs in the case of equality.
# fmt: off
COMPARISON = {
    "Eq": ("NotEq",), "NotEq": ("Eq",), "Is": ("IsNot",), "IsNot": ("Is",), "Lt": ("GtE", "LtE"), "LtE": ("Gt", "Lt"),
    "Gt": ("LtE", "GtE"), "GtE": ("Lt", "Gt"),
}
# fmt: on
KINDS = {
    **{f"ReplaceBinaryOperator_{a}_{b}": "arithmetic" for a, others in ARITHMETIC.items() for b in others},
    **{f"ReplaceComparisonOperator_{a}_{b}": "comparison" for a, others in COMPARISON.items() for b in others},
    **{f"ReplaceUnaryOperator_Delete_{name}": "sign or not" for name in ("USub", "Invert", "Not")},
    "AddNot": "sign or not",
    **dict.fromkeys(("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"), "boolean"),
    **dict.fromkeys(("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"), "loop"),
    "NumberReplacer": "number",
    "LeaveOut": "statement",
}


@dataclass(frozen=True)
class Mutant:
    """A changed file, and what was changed in it."""

    file: str  # relative to the checkout
    function: str  # qualified name of the outermost function, or of the class, or "" for the module
    line: int
    kind: str
    before: str  # the changed lines of the original, and what they became
    after: str
    reach: range  # a test that runs one of these lines can see the change
    source: str = field(repr=False)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What stays the same when other lines change."""
        return self.file, self.function, self.before, self.after

    @property
    def name(self) -> str:
        """The place in a word."""
        return hashlib.sha256("\0".join(self.place).encode()).hexdigest()[:16]

    @property
    def digest(self) -> str:
        """Tells it from every other mutant of any version of the file."""
        return hashlib.sha256(f"{self.file}\0{self.source}".encode()).hexdigest()


class LeaveOut:
    """An operator in Cosmic Ray's form: an assignment to anything but a name, a call or a `raise`, replaced by `pass`.

    An assignment to a name is not left out: its reader would fail with NameError, which says nothing about the tests.
    """

    def mutation_positions(self, node: Any) -> Iterator[tuple]:
        if node.type == "simple_stmt" and self._counts(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        from parso.python.tree import Keyword

        statement = node.children[0]
        node.children[0] = Keyword("pass", statement.start_pos, statement.get_first_leaf().prefix)
        return node

    @staticmethod
    def _counts(statement: Any) -> bool:
        if statement.type == "expr_stmt":
            target, then = statement.children[:2]
            return target.type in ("atom_expr", "power") or (then.type == "operator" and then.value not in ("=", ":"))
        return statement.type in ("atom_expr", "power", "raise_stmt")


def operators() -> dict[str, Any]:
    """Cosmic Ray's operators, and ours, by name; raises ModuleNotFoundError without Cosmic Ray."""
    from cosmic_ray.plugins import get_operator

    return {name: LeaveOut() if name == "LeaveOut" else get_operator(f"core/{name}")() for name in KINDS}


def mutants(only: str = "*") -> list[Mutant]:
    """Every mutant of what is in scope, in the order of the files; `only` is a pattern for 'file:function'."""
    found = []
    for file, functions in files().items():
        source = (ROOT / file).read_text()
        names = {name for _, _, name in Layout(source).places} | {""} if functions is None else functions
        if wanted := {name for name in names if fnmatch.fnmatchcase(f"{file}:{name}", only)}:
            found += of_source(file, source, wanted)
    return found


def of_source(file: str, source: str, functions: set[str]) -> Iterator[Mutant]:
    """The mutants of one file, of the functions and classes named; one that compiles as the original or another does is none."""
    import parso

    available = operators()
    tree, layout = parso.parse(source), Layout(source)
    seen = {content(source)}
    for node in nodes(tree):
        if node.parent is not None and node.parent.type == "parameters":
            continue  # the bare * before keyword parameters is no operator
        for name, operator in available.items():
            for index, (start, _) in enumerate(list(operator.mutation_positions(node))):
                function = layout.function_at(start)
                if layout.is_left_out(start) or function not in functions:
                    continue
                changed = mutated(tree, node, operator, index)
                compiled = content(changed)
                if compiled is None or compiled in seen:
                    continue
                seen.add(compiled)
                yield Mutant(
                    file, function, start[0], KINDS[name], *difference(source, changed), layout.reach_of(start[0]), changed
                )


def nodes(node: Any) -> Iterator[Any]:
    """A node and all below it, in the order of the text; the list is made before anything changes."""
    yield node
    for child in list(getattr(node, "children", ())):
        yield from nodes(child)


def mutated(tree: Any, node: Any, operator: Any, index: int) -> str:
    """The code of the whole tree with `node` changed, and the tree as it was."""
    touched = [node, *getattr(node, "children", ())]
    values = [(leaf, leaf.value) for leaf in touched if hasattr(leaf, "value")]
    lists = [(inner, list(inner.children)) for inner in (node, node.parent) if hasattr(inner, "children")]
    new = operator.mutate(node, index)
    if new is not node:
        node.parent.children[node.parent.children.index(node)] = new
        new.prefix = node.prefix
        new.value = new.value.strip()
    try:
        return tree.get_code()
    finally:
        for leaf, value in values:
            leaf.value = value
        for inner, children in lists:
            inner.children[:] = children


def difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, each side joined to one."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " ".join(map(str.strip, old)), " ".join(map(str.strip, new))


class Layout:
    """Where in a file its functions lie, and what is never mutated: annotations, decorators, texts of errors, `__all__`."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.places: list[tuple[int, int, str]] = []
        self.left_out: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.statements: list[range] = []  # within functions: their lines, of a compound one those of its head
        self._look(ast.parse(source), "", within_function=False)

    def _look(self, node: ast.AST, name: str, within_function: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inner, is_function = name, isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            if (is_function or isinstance(child, ast.ClassDef)) and not within_function:
                inner = f"{name}.{child.name}" if name else child.name
                self.places.append((child.lineno, child.end_lineno, inner))
            if within_function and isinstance(child, ast.stmt):
                last = child.body[0].lineno - 1 if getattr(child, "body", None) else child.end_lineno
                self.statements.append(range(child.lineno, max(last, child.lineno) + 1))
            self.left_out += [self._span(part) for part in never_mutated(child)]
            self._look(child, inner, within_function or is_function)

    def _span(self, node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
        return self._position(node.lineno, node.col_offset), self._position(node.end_lineno, node.end_col_offset)

    def _position(self, line: int, column: int) -> tuple[int, int]:
        return line, len(self.lines[line - 1].encode()[:column].decode())  # ast counts bytes, parso characters

    def function_at(self, position: tuple[int, int]) -> str:
        """The qualified name of the outermost function, else of the innermost class, around a position."""
        around = [name for first, last, name in self.places if first <= position[0] <= last]
        return max(around, key=len, default="")

    def reach_of(self, line: int) -> range:
        """The lines of the statement at `line`; those of the function for its head, all of the file outside functions.

        What is run on import alone, a default or a constant, is reached by no test, but by way of what reads it.
        """
        around = [lines for lines in self.statements if line in lines]
        around = around or [range(first, last + 1) for first, last, _ in self.places if first <= line <= last]
        return min(around, key=len, default=range(1, len(self.lines) + 1))

    def is_left_out(self, position: tuple[int, int]) -> bool:
        return any(start <= position < end for start, end in self.left_out)


def never_mutated(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that are annotations, decorators or texts."""
    if isinstance(node, ast.JoinedStr):
        return [node]
    if isinstance(node, ast.Raise):
        return [part for part in (node.exc, node.cause) if part is not None]
    if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
        return [node]
    parts = [getattr(node, "annotation", None), getattr(node, "returns", None), *getattr(node, "decorator_list", ())]
    return [part for part in parts if part is not None]
