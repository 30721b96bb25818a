"""The mistakes that `explain` knows, each with its sentence, and a hint that does not give the solution away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple


class Mistake(NamedTuple):
    """One mistake: its kind, the sentence, a hint or nothing, and the line to look at or nothing."""

    kind: str
    says: str
    hint: str = ""
    place: str = ""

    def __str__(self) -> str:
        below = "   ".join(part for part in (self.hint, self.place) if part)
        return f"{self.says}\n{below}" if below else self.says


def found(kinds: dict[str, Any], place: str = "", **fields: Any) -> Iterator[Mistake]:
    """The mistakes among `kinds` that hold, in this order, with their sentences filled in, numbers to six digits."""
    words = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in fields.items()}
    for kind in (kind for kind, holds in kinds.items() if holds):
        says, hint = (text.format(**words) for text in SAYS[kind])
        yield Mistake(kind, says, hint, place)


CHAIN: Final = "the chain rule: dL/d{name} = g * d{y}/d{name}"
ORDER: Final = "backward returns one gradient for each input of forward, in their order, None for one that has none"
PATHS: Final = "g goes back along the paths that forward took, each of them, and no other"
SAVED: Final = "forward puts the arrays that backward needs into the tuple ctx.saved, other things into ctx"
AXES: Final = "a sum drops the axes that it adds over; it adds over those along which broadcasting stretched {name}"
KEEPS: Final = "is it random, or does it keep something? what one call needs belongs in ctx.saved of that call"
SHAPES: Final = "the gradient of {name} has shape {got}, {name} has shape {shape}: "
TWICE: Final = "order 1 is right, but differentiated again the rule "

# fmt: off
SAYS: dict[str, tuple[str, str]] = {
    # ---- an exception
    "unwritten": ("backward is not written yet", ""),
    "saved count": ("forward saved {saved}, and backward takes another number of arrays out of ctx.saved ({error})", SAVED),
    "no attribute": ("ctx has no {attribute}: nothing has set it", SAVED),
    "does not fit": ("{who} combines {shapes} that do not fit: {given}",
                     "is a transposition missing, the order of factors wrong, or an axis lost in a sum?"),
    "fails": ("{who} fails: {error} ({given})", ""),
    # ---- what is returned, what is changed
    "no class": ("there is no class {name} in {file}", "--stubs writes it, as class {name}(Op)"),
    "saved is no tuple": ("ctx.saved must be a tuple, it is of type {what}", "a comma makes a tuple of one: (a,)"),
    "no output": ("forward returned a value of type {what}, not an array", "does it end with a return?"),
    "value": ("forward gives {got}{at}, expected {expected}", "is it the forward of the exercise?"),
    "returned None": ("your backward returned None{of}", "is a return missing, or a gradient?"),
    "count": ("gradients that backward returns: {count}; inputs of forward: {wanted}", ORDER),
    "no array": ("backward returns a value of type {what}, not an array", "several gradients are returned as a tuple"),
    "dtype": ("the gradient of {name} has dtype {dtype}, which is not floating-point", CHAIN + ", in an array of g's dtype"),
    "precision": ("{what} is {dtype}, what is given {given}", "new arrays need the dtype of the others: np.ones(3) is float64"),
    "changes": ("{who} changes {what} in place", "make a new array: others read this one"),
    "not repeatable": ("{who} gives another answer the second time", KEEPS),
    "outside ctx": ("your rule gives another answer once forward has run again", KEEPS),
    # ---- shapes, and places in memory
    "shapes swapped": (SHAPES + "the gradients are in the wrong order", ORDER),
    "shape transposed": (SHAPES + "it is transposed", ""),
    "axis of length one": (SHAPES + "an axis of length one is missing, or one too many", AXES),
    "not summed": (SHAPES + "forward used each element of {name} several times, and the gradients of all uses add up", AXES),
    "summed wrongly": (SHAPES + "it is summed over the wrong axis, or over too many", AXES),
    "shape": (SHAPES + "they must be the same", ""),
    "other lengths": ("{where}: {says}", "a rule takes its lengths from the arrays that it is given"),
    "other numbers": ("{where}: {says}", "on the given ones it is right by chance: are some equal, all of one sign, or 1?"),
    "layouts": ("{what} changes if the same numbers lie in memory in another order", "reshape(-1) and ravel() read in C order"),
    # ---- linear in g
    "ignores g": ("your rule ignores g: with g = 0 it still returns {value} for {name}{at}", CHAIN),
    "adds to g": ("your rule adds something that does not depend on g: with g = 0 it returns {value} for {name}{at}", CHAIN),
    "g squared": ("g enters the gradient of {name} squared: twice the g gives four times the gradient", CHAIN),
    "not linear": ("the gradient of {name} is not linear in g: {how} the gradient", CHAIN),
    # ---- the Jacobian
    "not finite": ("your rule gives NaN or an infinity for {name}: {worst}", "a division by zero, or a logarithm of it?"),
    "zero": ("your rule gives 0 for {name}, but {y} depends on it: {worst}", CHAIN),
    "sign": ("the gradient of {name} has the wrong sign", ""),
    "factor": ("the gradient of {name} is {factor} times the right one", "is a factor missing, or one too many?"),
    "swapped": ("the gradients of {name} and {other} are swapped{more}", ORDER),
    "of another": ("your gradient of {name} is that of {other}", ORDER),
    "misplaced": ("the gradient of {name} has the right numbers in the wrong places: {how}", ""),
    "wrong axis": ("your rule for {name} works along axes {has}, forward along axes {truth}", ""),
    "diagonal only": ("your rule for {name} has only the diagonal of the Jacobian: {worst}", PATHS),
    "wrong place": ("your rule sends g to places of {name} where it does not belong: {worst}", PATHS),
    "missing place": ("your rule leaves out places of {name}: {worst}", PATHS),
    "wrong array": ("the gradient of {name} is wrong: the rule would be right if it {mend}", ""),
    "path": ("your rule for {name} lacks a path, or has it wrong: if {moving}, {y} stays the same; by your rule it changes",
             "{y} depends on an element also through the sum, the mean or the variance that it is part of"),
    "local derivative": ("g reaches the right places of {name}, but the local derivative is wrong: {worst}",
                         "differentiate {y} by hand as a function of one number"),
    # ---- when the first derivative is right
    "cannot tell": ("these inputs cannot tell: {why}", "choose others"),
    "order 2 fails": ("order 1 is right, but the rule cannot be differentiated again: {error}",
                      "{why}use operators and minitorch's functions, which take arrays and tensors"),
    "order 2 kept": ("order 1 is right, but the rule cannot be differentiated again: {error}", ""),
    "order 2 lost": (TWICE + "for {name} counts as a constant: {worst}",
                     "detach(), .array, NumPy's functions and arrays kept outside ctx.saved cut the history"),
    "order 2": (TWICE + "is wrong for {name}: {worst}",
                "an array that is neither an input nor the output is a constant to the second pass: recompute it in backward"),
}
# fmt: on
