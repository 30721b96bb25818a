"""The mutants: what Cosmic Ray's operators make of the code in scope, and statements left out."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.mutation.graft import content, definition_of, is_overload
from tests.mutation.scope import ROOT, files

# Cosmic Ray replaces each operator by every other; these are the ones taken. Arithmetic: the inverse and one more.
# fmt: off
ARITHMETIC = {
    "Add": ("Sub", "Mul"), "Sub": ("Add", "Mul"), "Mul": ("Div", "Add"), "Div": ("Mul", "Sub"), "FloorDiv": ("Mul", "Div"),
    "Mod": ("FloorDiv", "Mul"), "Pow": ("Mul", "Add"), "BitAnd": ("BitOr", "BitXor"), "BitOr": ("BitAnd", "BitXor"),
    "LShift": ("RShift",), "RShift": ("LShift",), "BitXor": ("BitAnd", "BitOr"),
}
# Comparisons: the opposite, and the neighbour that differs in the case of equality.
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
    before: str  # the changed code, as much of it as the function has but once, and what it became
    after: str
    reach: range  # a test that runs one of these lines can see the change
    source: str = field(repr=False)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What stays the same when lines move, are laid out anew, or change elsewhere."""
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


def mutants(only: str = "*", since: str | None = None) -> list[Mutant]:
    """Every mutant of what is in scope, in the order of the files.

    `only` is a pattern for 'file:function'; with `since`, a commit, what it has in the same words is left out.
    """
    found = []
    for file, functions in files().items():
        source = (ROOT / file).read_text()
        names = {name for _, _, name in Layout(source).places} | {""} if functions is None else functions
        wanted = {name for name in names if fnmatch.fnmatchcase(f"{file}:{name}", only)}
        if since is not None:
            wanted &= differing(source, content_at(since, file))
        if wanted:
            found += of_source(file, source, wanted)
    return found


def content_at(commit: str, file: str) -> str:
    """A file as a commit has it; empty if it has none. Raises CalledProcessError for what is no commit."""
    subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"], cwd=ROOT, check=True, capture_output=True
    )
    shown = subprocess.run(["git", "show", f"{commit}:{file}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return shown.stdout


def differing(source: str, before: str) -> set[str]:
    """The qualified names of the functions and classes whose code differs, and "" if what is outside them does."""
    now, then = (
        {name: ast.dump(definition_of(ast.parse(text), name)) for _, _, name in Layout(text).places} | {"": _outside(text)}
        for text in (source, before)
    )
    return {name for name, code in now.items() if then.get(name) != code}


def _outside(source: str) -> str:
    statements = ast.parse(source).body
    return repr([ast.dump(one) for one in statements if not isinstance(one, (ast.FunctionDef, ast.ClassDef))])


def of_source(file: str, source: str, functions: set[str]) -> Iterator[Mutant]:
    """The mutants of one file, of the functions and classes named; one that compiles as the original or another does is none."""
    import parso

    available = operators()
    tree, layout, original = parso.parse(source), Layout(source), ast.parse(source)
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
                said = change(original, changed, function)
                yield Mutant(file, function, start[0], KINDS[name], *said, layout.reach_of(start[0]), changed)


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


def change(original: ast.Module, changed: str, function: str) -> tuple[str, str]:
    """The code that differs, before and after: the smallest expression or statement that the definition has but once.

    It names something, so that a reader knows what is changed, and not 1 alone. Written as `ast.unparse` does, so that it does not depend on lines, spaces and brackets.
    """
    before, after = definition_of(original, function), definition_of(ast.parse(changed), function)
    around = [(before, after)]  # from the definition inwards
    while (pair := _only_difference(*around[-1])) is not None:
        around.append(pair)
    said = (ast.expr, ast.stmt, ast.arguments)
    code = [ast.unparse(node) for node in ast.walk(before) if isinstance(node, said)]
    for before, after in reversed(around):
        names = any(isinstance(node, (ast.Name, ast.arg)) for node in ast.walk(before))
        if isinstance(before, said) and names and code.count(ast.unparse(before)) == 1:
            return ast.unparse(before), ast.unparse(after)
    return ast.unparse(around[0][0]), ast.unparse(around[0][1])


def _only_difference(before: ast.AST, after: ast.AST) -> tuple[ast.AST, ast.AST] | None:
    """The children of two nodes that differ, if it is one of each and the nodes are alike otherwise."""
    if type(before) is not type(after):
        return None
    found = []
    for name in before._fields:
        old, new = getattr(before, name, None), getattr(after, name, None)
        pairs = list(zip(old, new)) if isinstance(old, list) and isinstance(new, list) else [(old, new)]
        if isinstance(old, list) and len(old) != len(new):
            return None
        found += [(a, b) for a, b in pairs if _shape(a) != _shape(b)]
    if len(found) != 1 or not all(isinstance(each, ast.AST) for each in found[0]):
        return None
    return found[0]


def _shape(node: Any) -> str:
    return ast.dump(node) if isinstance(node, ast.AST) else repr(node)


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
            if is_overload(child):
                self.left_out.append(self._span(child))
                continue
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
