"""What the explorer remembers: every recorded operation with its inputs and its place in the user's code, and every rule that
a backward pass runs, with the gradients it was given and those it sent on.

Arrays are copied, because they may be changed later. The explorer draws none of minitorch's random numbers and writes to
nothing that it shows.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any, Final

import numpy as np

from minitorch.autograd.grad_mode import Switch, no_grad
from minitorch.autograd.node import Leaf, Node
from minitorch.autograd.outputs import Output
from minitorch.autograd.tensor import Tensor
from minitorch.autograd.trial import quiet
from minitorch.autograd.watch import Watch
from minitorch.backend import CPU, is_array, to_array
from minitorch.explorer.proof import Proof, Term, examine
from minitorch.explorer.source import Names
from minitorch.random import get_rng_state, set_rng_state

LIMIT: Final = 1500  # rules on one page


@dataclass(eq=False)
class Step:
    """An operation of the forward pass (or of a rule, under create_graph=True); in a pass, with what its rule did."""

    node: Any
    inputs: list[Any] = field(default_factory=list)  # copies on the host; empty where it ran before the block
    parameters: dict[str, Any] = field(default_factory=dict)  # of an operation of minitorch
    outputs: list[np.ndarray] = field(default_factory=list)
    made_by: Step | None = None  # the rule that recorded it
    where: str = "before"  # that rule, its module, or the user's line
    lines: list[Any] = field(default_factory=list)  # the user's, at most three, the innermost last, as the page shows them
    source: str = ""  # the expression of the user's that ran it
    names: list[str] = field(default_factory=list)  # of the inputs, empty where the user has none
    group: tuple[str, int] | None = None  # the module whose rows fold into one, and which use of it
    fold: str = ""  # the name of that module, with its use if there are several
    row: int = -1  # in its pass
    incoming: list[np.ndarray] = field(default_factory=list)
    parts: list[list[Arrival]] = field(default_factory=list)  # for each output what was added up
    given: list[Any] = field(default_factory=list)  # for each input what the rule returned
    sent: dict[int, Arrival] = field(default_factory=dict)  # by position what the engine made of it, where it was wanted
    proof: Proof = field(init=False)

    @property
    def hooked(self) -> bool:
        """Whether a hook has changed what arrived: a gradient is not the sum of its parts."""
        sums = ((sum(arrival.grad for arrival in parts), g) for parts, g in zip(self.parts, self.incoming) if parts)
        return not all(np.array_equal(total, g, equal_nan=True) for total, g in sums)


@dataclass(eq=False)
class Arrival:
    """One gradient arriving at an operation or a leaf."""

    by: Step  # the rule that sent it
    position: int  # of the input of that rule
    edge: Any  # where it arrives
    grad: np.ndarray
    terms: list[np.ndarray] = field(default_factory=list)  # each loss term's part of it, in float64


@dataclass(eq=False)
class Target:
    """A leaf in one pass."""

    name: str
    title: str  # of the sum: `name.grad`, unless `grad` returns it
    before: np.ndarray | None  # .grad before the pass, if it held anything but zeros
    arrivals: list[Arrival] = field(default_factory=list)
    totals: list[np.ndarray] = field(default_factory=list)  # the sum, after each arrival
    after: np.ndarray | None = None  # .grad after the pass; None where `grad` returns the sum instead


@dataclass(eq=False)
class Pass:
    """One backward pass."""

    start: Step = field(default_factory=lambda: Step(None))  # a step before the first, which sends what it starts with
    steps: dict[Any, Step] = field(default_factory=dict)  # in their order
    targets: dict[Node, Target] = field(default_factory=dict)
    waiting: dict[Node, list[list[Arrival]]] = field(default_factory=dict)  # for operations whose rules have not run
    terms: list[Term] = field(default_factory=list)  # of the loss, if there are several


def host(value: Any) -> Any:
    """A copy with all arrays, those of tensors as well, on the host and in their own memory order."""
    if isinstance(value, dict):
        return {key: host(entry) for key, entry in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(host, value))
    array = value.array if isinstance(value, Tensor) else value
    return np.array(to_array(array, None, CPU), order="K") if is_array(array) else array


class Recorder(Watch):
    """Records what the engine does in an `explore` block."""

    name = "explore"

    def __init__(self, outermost: FrameType, terms: dict[str, Tensor]) -> None:
        self.outermost: FrameType = outermost
        self.named: dict[str, Tensor] = terms
        self.names: Names = Names()
        self.records: dict[Node, Step] = {}
        self.passes: list[Pass] = []
        self.going: list[Pass] = []  # passes that have not finished: a rule may start another
        self.running: list[Step] = []
        self.count: int = 0

    def make_room_for(self, other: Watch) -> None:
        """Nothing else may watch in the block, nor a second explorer."""
        raise RuntimeError(f"{other.name}: this thread is watched by explore already; leave that block first")

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run the operation, and remember it if it is recorded."""
        if raw or not node.edges or self.count > LIMIT:
            return node.forward(*inputs, **parameters)
        copies = host(inputs), {} if hasattr(node, "function") else host(parameters)
        out = node.forward(*inputs, **parameters)
        outputs = [np.asarray(host(array)) for array in (out if type(out) is tuple else (out,))]
        self.records[node] = step = Step(node, *copies, outputs, self.running[-1] if self.running else None)
        self.names.place(step, inputs, sys._getframe(1), self.outermost)
        if len(self.records) > 4 * LIMIT:
            del self.records[next(iter(self.records))]  # the oldest
        return out

    def rule(self, node: Any, rule: Any, incoming: Any) -> Any:
        """Run a rule, and remember it with what it was given and what it gives."""
        self.count += type(node) is not Output
        if type(node) is Output or self.count > LIMIT:
            return rule.backward(*incoming)
        going, like = self.going[-1], next(g for g in incoming if g is not None)
        grads = [np.zeros(node._shape[i], like.dtype) if g is None else host(g) for i, g in enumerate(incoming)]
        known = self.records.get(node) or Step(node)
        step = replace(known, row=len(going.steps), incoming=grads, parts=going.waiting.pop(node), sent={})
        going.steps[node] = step
        self.running.append(step)
        try:
            given = rule.backward(*incoming)
        finally:
            self.running.pop()
        step.given = [host(grad) for grad in (given if type(given) is tuple else (given,))]
        return given

    def arrived(self, edge: Node, grad: Any, total: Any, by: Any, position: int) -> None:
        """Remember a gradient that reaches an operation, one of its outputs, or a leaf."""
        if self.count > LIMIT or type(by) is Output:
            return
        if by is None and (position == 0 or not self.going or self.going[-1].steps):
            self.going.append(Pass())
        going = self.going[-1]
        step = going.steps.get(by, going.start)
        arrival = step.sent[position] = Arrival(step, position, edge, host(grad))
        node, place = edge.as_source()
        if not isinstance(node, Leaf):
            going.waiting.setdefault(node, [[] for _ in node._outputs or [0]])[place].append(arrival)
            return
        if node not in going.targets:
            name = self.names.leaves.setdefault(node, f"leaf {len(self.names.leaves) + 1}")
            before = node.variable.grad if node.variable is not None else None
            before = None if before is None or not before.array.any() else host(before)
            going.targets[node] = Target(name, f"gradient of {name}", before)
        going.targets[node].arrivals.append(arrival)
        going.targets[node].totals.append(host(total))

    def kept(self, tensor: Any, grad: Any) -> None:
        """The pass has put what arrived at a leaf into its `.grad`."""
        run = self._ending() or next(iter(self.passes[-1:]), Pass())  # with `inputs` it is added after the pass
        target = run.targets.get(tensor.node)
        if target is not None:
            target.after, target.title = host(tensor.grad), f"{target.name}.grad"

    def finished(self) -> None:
        """A pass has ended: split it by loss terms and check its rules, while the arrays are what they were."""
        ended = self._ending()
        if ended is None:
            return
        self.going.remove(ended)
        state = get_rng_state()  # a user's rule may draw
        with Switch(None, "watch"), no_grad(), quiet():
            examine(ended, {tensor.node: name for name, tensor in self.named.items()})
        set_rng_state(state)
        self.passes.append(ended)

    def _ending(self) -> Pass | None:
        """The pass that can end: none while one of its rules runs, which has run a pass in which nothing arrived."""
        within = not self.going or (self.running and self.running[-1] in self.going[-1].steps.values())
        return None if self.count > LIMIT or within else self.going[-1]
