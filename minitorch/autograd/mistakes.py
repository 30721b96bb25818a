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
        says, hint = SAYS[kind]
        yield Mistake(kind, says.format(**words), hint.format(**words), place)


CHAIN: Final = "the chain rule: dL/d{name} = g * dy/d{name}"
ORDER: Final = "backward returns one gradient for each input of forward, in their order"
PATHS: Final = "g goes back along the paths that forward took, each of them, and no other"
NEW: Final = "make a new array: others read this one"
KEEPS: Final = "is it random, or does it keep something?"
FLOAT64: Final = "a float64 array or a np.float64 number among the operands does that"
SHAPES: Final = "the gradient of {name} has shape {got}, {name} has shape {shape}"
PATH: Final = "your rule for {name} leaves out a path"
RIGHT: Final = "the gradient of {name} is the right one"
WRONG: Final = "the gradient of {name} is wrong: the rule"
AGAIN: Final = "order 1 is right, but differentiated again"

# fmt: off
SAYS: dict[str, tuple[str, str]] = {
    # ---- forward
    "forward fails": ("forward fails on {shapes}: {error}", ""),
    "no output": ("forward returned {what}, not an array", "is a return missing?"),
    "save_for_backward": ("an Op has no save_for_backward and no saved_tensors, which are Function's",
                          "forward puts a tuple of arrays into ctx.saved, backward takes it from there"),
    "saved is no tuple": ("ctx.saved must be a tuple, it is {what}", "a comma makes a tuple of one: (a,)"),
    "forward changes input": ("forward changes its input {name} in place", NEW),
    "forward not repeatable": ("forward gives other values the second time", KEEPS),
    "forward float32": ("forward makes {dtype} of float32", FLOAT64),
    "no class": ("there is no class {name} in {file}", "--stubs writes it"),
    "value": ("forward gives {got}{at}, expected {expected}", "is it the forward of the exercise?"),
    # ---- what backward returns
    "unwritten": ("backward is not written yet", ""),
    "nothing saved": ("forward saved nothing: ctx.saved is empty, and backward reads it",
                      "forward puts the arrays that backward needs into the tuple ctx.saved"),
    "saved count": ("forward saved {count}, backward takes another number out of ctx.saved ({error})", "saved: {saved}"),
    "no attribute": ("backward reads ctx.{name}, which forward did not set", "arrays go into ctx.saved, other things into ctx"),
    "product does not fit": ("a matrix product in backward does not fit: g is {g}, saved {saved}", "{why}"),
    "shapes do not fit": ("backward combines shapes {shapes}, which do not fit: g is {g}, saved {saved}",
                          "a sum drops the axis that it adds over, unless it keeps it as one of length 1"),
    "backward fails": ("backward fails: {error} (g is {g}, saved {saved})", ""),
    "returned None": ("your backward returned None", "is a return missing?"),
    "returned None for one": ("your backward returned None for {name}, which has a gradient", ""),
    "count": ("backward returns {count} for {wanted}", ORDER + "; None for one without"),
    "list": ("backward returns a list", "several gradients are returned as a tuple"),
    "no array": ("backward returns {what} for {name}, not an array", ""),
    "precision": ("the gradient of {name} is {dtype}, though all that is given is float64", "what rounds it to fewer digits?"),
    "float32": ("the gradient of {name} is {dtype}, though all that is given is float32", FLOAT64),
    "dtype": ("the gradient of {name} is {dtype}, not floating-point: it does not multiply by g", CHAIN),
    # ---- what backward does besides
    "changes g": ("your rule changes g in place", NEW),
    "changes input": ("your rule changes the input {name} in place, which forward had saved", NEW),
    "changes saved": ("your rule changes saved array {k} in place: a second backward would read other numbers", NEW),
    "not repeatable": ("your rule gives another answer the second time", KEEPS),
    "outside ctx": ("your rule gives another answer once forward has run again: it reads something that is not in its ctx",
                    "what one call needs belongs in ctx.saved of that call"),
    # ---- shapes, and places in memory
    "shapes swapped": ("the gradients are in the wrong order: that of {name} has shape {got}, {name} has shape {shape}", ORDER),
    "shape transposed": (SHAPES + ": it is transposed", ""),
    "not summed": (SHAPES + ": forward used each element of {name} several times, and the gradients of all uses add up",
                   "broadcasting stretches an array along axes of length one or missing ones"),
    "kept axis": (SHAPES + ": an axis too many", "a sum with keepdims keeps an axis of length one"),
    "dropped axis": (SHAPES + ": an axis of length one is missing", "a sum drops its axis, unless it is told to keep it"),
    "summed wrongly": (SHAPES + ": it is summed over the wrong axis, or over too many",
                       "the axes to sum over are those along which broadcasting stretched {name}"),
    "shape": (SHAPES, "a gradient has the shape of what it is the gradient of"),
    "other lengths": ("{where}: {says}", "a rule takes its lengths from the arrays that it is given"),
    "layouts": ("{what} changes if the same numbers lie in memory in another order", "reshape(-1) and ravel() read in C order"),
    # ---- linear in g
    "ignores g": ("your rule ignores g: with g = 0 it still returns {value} for {name}{at}", CHAIN),
    "adds to g": ("your rule adds something that does not depend on g: with g = 0 it returns {value} for {name}{at}", CHAIN),
    "g squared": ("g enters the gradient of {name} squared: twice the g gives four times the gradient", CHAIN),
    "not linear": ("the gradient of {name} is not linear in g: twice the g does not give twice the gradient", CHAIN),
    "sign of g": ("the gradient of {name} depends on the sign of g: minus g does not give minus the gradient", CHAIN),
    "g not summed": ("the gradient of {name} is not linear in g: for the sum of two g it is not the sum of the two", CHAIN),
    # ---- the Jacobian
    "not finite": ("your rule gives NaN or an infinity for {name}: {worst}", "a division by zero, or a logarithm of it?"),
    "zero": ("your rule gives 0 for {name}, but y depends on it: {worst}", CHAIN),
    "sign": ("the gradient of {name} has the wrong sign{more}", "{why}"),
    "factor": ("the gradient of {name} is {factor} times the right one: a constant factor is {missing}", "{why}"),
    "swapped": ("the gradients of {name} and {other} are swapped", ORDER),
    "swapped or sign": ("the gradients of {name} and {other} are swapped, or both have the wrong sign", ORDER),
    "of another": ("your gradient of {name} is that of {other}", ORDER),
    "transposed": ("the gradient of {name} is the transpose of the right one: its axes are exchanged", ""),
    "g transposed": ("your rule for {name} takes g with its axes exchanged", "g has the shape of y"),
    "mirrored": (RIGHT + ", mirrored along axis {axis}", ""),
    "shifted": (RIGHT + ", shifted by {by} along axis {axis}", ""),
    "wrong axis": ("your rule for {name} works along axis {has}, forward along axis {truth}", ""),
    "diagonal only": ("your rule for {name} has only the diagonal of the Jacobian: {depends}",
                      "each output depends on all inputs that it is computed from"),
    "wrong place": ("your rule sends g to places of {name} where it does not belong: {depends}", PATHS),
    "missing place": ("your rule leaves out places of {name}: {depends}", PATHS),
    "factor transposed": ("in your product of g and {other} for {name} a transposition is missing, or one too many", ""),
    "wrong order": ("your rule for {name} multiplies g and {other} in the wrong order", "A B is not B A, even if both fit"),
    "wrong factor": ("your rule for {name} multiplies g by {other}, which is the wrong matrix", ""),
    "power": ("the gradient of {name} is right up to a factor: {what} is {missing}", ""),
    "wrong array": (WRONG + " would be right if it read {right} where it reads {read}", ""),
    "saved swapped": (WRONG + " takes its saved arrays in the wrong order", ""),
    "path by the sum": (PATH + ": adding one number to all of {name} along axis {axis} leaves y as it is, but not in your rule",
                        "y depends on an element also through the sum or the mean that it is part of"),
    "path by the variance": (PATH + ": stretching {name} about its mean on axis {axis} hardly changes y, but not in your rule",
                             "y depends on an element also through the variance that it is part of"),
    "factor by rows": ("the gradient of {name} is right up to a factor, which is the same along axis {axis}: {factors} ...",
                       "something that was computed once for each row or column is missing, or too many"),
    "local derivative": ("g reaches the right places of {name}, but the local derivative is wrong: {worst}",
                         "{right} of {there} are right; differentiate y by hand as a function of one number"),
    # ---- when the first derivative is right
    "cannot tell": ("these inputs cannot tell: {why}", "choose others"),
    "order 2 fails": ("order 1 is right, but the rule cannot be differentiated again: {error}",
                      "{why}use operators and minitorch's functions, which take arrays and tensors"),
    "order 2 lost": (AGAIN + " the rule for {name} counts as a constant: {worst}",
                     "detach(), .array, NumPy's functions and arrays kept outside ctx.saved cut the history"),
    "order 2": (AGAIN + " the rule is wrong for {name}: {worst}",
                "an array that is neither an input nor the output is a constant to the second pass: recompute it in backward"),
}
# fmt: on
