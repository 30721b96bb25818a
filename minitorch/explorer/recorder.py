"""What the explorer remembers: every recorded operation with its inputs and its place in the user's code, and every rule that
a backward pass runs, with the gradients it was given and those it sent on.

Arrays are copied, because they may be changed later. No random number of minitorch's is drawn, and nothing that is shown is
written to.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

import numpy as np

from minitorch.autograd.grad_mode import Switch, no_grad
from minitorch.autograd.node import Leaf, Node
from minitorch.autograd.outputs import Output
from minitorch.autograd.tensor import Tensor
from minitorch.autograd.watch import Watch
from minitorch.backend import is_array
from minitorch.explorer.proof import NOT_YET, Input, Proof, prove, replaced
from minitorch.explorer.source import Line, Names, frames_of, lines_of
from minitorch.explorer.terms import Term, add_parts, host, terms_of
from minitorch.random import get_rng_state, set_rng_state

LIMIT: Final = 1500  # rules on one page


@dataclass(eq=False)
class Record:
    """One operation of the forward pass (or of a rule, under create_graph=True)."""

    node: Any
    inputs: list[Any]  # copies of arrays on the host, and other values as they are; empty where they were not seen
    parameters: dict[str, Any]  # with an `Input` in place of each array that is an input too
    outputs: list[Any]
    lines: tuple[Line, ...] = ()
    module: str = ""  # its path, such as digit.0
    group: tuple[str, int] | None = None  # the module whose rows fold into one, and which use of it
    names: list[str] = field(default_factory=list)  # of the inputs, where the user has one
    made_by: Step | None = None  # the rule that recorded it


@dataclass(eq=False)
class Arrival:
    """One gradient arriving at an operation or a leaf."""

    by: Step | None  # the rule that sent it; None at the start of a pass
    position: int  # of the input of that rule
    grad: np.ndarray
    terms: list[np.ndarray] = field(default_factory=list)  # at a leaf, each loss term's part of it


@dataclass(eq=False)
class Step:
    """One rule run by a backward pass."""

    record: Record
    rule: Any  # the node with what it had saved, to run it again
    incoming: list[np.ndarray]
    parts: list[list[Arrival]]  # for each output what was added up
    given: list[Any] = field(default_factory=list)  # for each input what the rule returned
    sent: dict[int, Arrival] = field(default_factory=dict)  # by position what the engine made of it, where it was wanted
    proof: Proof = NOT_YET


@dataclass(eq=False)
class Target:
    """A leaf in one pass."""

    leaf: Leaf
    name: str
    before: np.ndarray | None  # .grad before the pass
    arrivals: list[Arrival] = field(default_factory=list)
    totals: list[np.ndarray] = field(default_factory=list)  # the sum, after each arrival
    after: np.ndarray | None = None  # .grad after the pass; None where `grad` returns the sum instead

    @property
    def title(self) -> str:
        """What the sum is called."""
        return f"{self.name}.grad" if self.after is not None else f"gradient of {self.name}"

    def whole(self) -> np.ndarray:
        """The sum of what arrived in this pass, in float64 (or complex128)."""
        return np.sum([np.asarray(a.grad, np.result_type(a.grad, np.float64)) for a in self.arrivals], axis=0)


class Pass:
    """One backward pass."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.targets: dict[Node, Target] = {}
        self.waiting: dict[Node, list[list[Arrival]]] = {}  # what has arrived at operations whose rules have not run
        self.roots: list[tuple[Node, Any]] = []
        self.terms: list[Term] = []


def end_of(edge: Node) -> tuple[Any, int]:
    """The operation or leaf behind an edge, and which of its outputs it is."""
    return (edge.edges[0], edge.position) if type(edge) is Output else (edge, 0)


def twin(node: Any) -> Any:
    """A node with what `node` holds now, before the engine frees what it saved."""
    copy = type(node)()
    copy.__dict__.update(vars(node))
    copy.edges, copy.saved, copy._number, copy._shape, copy._dtype = (
        node.edges,
        node.saved,
        node._number,
        node._shape,
        node._dtype,
    )
    return copy


class Recorder(Watch):
    """Sees what the engine does in an `explore` block."""

    outermost: Any
    named_terms: Any

    name = "explore"

    def __init__(self, outermost: FrameType, terms: dict[str, Tensor]) -> None:
        self.outermost, self.named_terms = outermost, terms
        self.names: Any = Names()
        self.records: dict[Node, Record] = {}
        self.passes: list[Pass] = []
        self.going: list[Pass] = []  # passes that have not finished: a rule may start another
        self.running: list[Step] = []
        self.count: int = 0

    def make_room_for(self, other: Watch) -> None:
        """Nothing else may watch in the block, nor a second explorer."""
        raise RuntimeError(f"{other.name}: this thread is watched by explore already; leave that block first")

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run the operation, and remember it if it is recorded."""
        if raw or not node.edges or self.count > LIMIT or len(self.records) > 4 * LIMIT:
            return node.forward(*inputs, **parameters)
        position = {id(value): i for i, value in enumerate(inputs) if is_array(value)}
        copies = [host(value) for value in inputs]
        kept = replaced(parameters, lambda a: Input(position[id(a)]) if id(a) in position else host(a))
        out = node.forward(*inputs, **parameters)
        frames = list(frames_of(sys._getframe(1), self.outermost))
        module, group = self.names.modules_around(frames)
        names = [self.names.of(value, edge, frames) for value, edge in zip(inputs, node.edges)]
        outputs = [host(array) for array in (out if type(out) is tuple else (out,))]
        made_by = self.running[-1] if self.running else None
        self.records[node] = Record(node, copies, kept, outputs, lines_of(frames), module, group, names, made_by)
        return out

    def rule(self, node: Any, rule: Any, incoming: Any) -> Any:
        """Run a rule, and remember it with what it was given and what it gives."""
        if type(node) is Output:
            return rule.backward(*incoming)
        self.count += 1
        if self.count > LIMIT:
            return rule.backward(*incoming)
        record = self.records.get(node) or Record(node, [], {}, [])  # it ran before the block
        parts = self.going[-1].waiting.pop(node)
        step = Step(record, twin(node), [host(g) for g in incoming], parts)
        self.going[-1].steps.append(step)
        self.running.append(step)
        try:
            grads = rule.backward(*incoming)
        finally:
            self.running.pop()
        step.given = [host(grad) for grad in (grads if type(grads) is tuple else (grads,))]
        return grads

    def arrived(self, edge: Node, grad: Any, total: Any, by: Any, position: int) -> None:
        """Remember a gradient that reaches an operation, one of its outputs, or a leaf."""
        if self.count > LIMIT or type(by) is Output:
            return
        if by is None and (position == 0 or not self.going or self.going[-1].steps):
            self.going.append(Pass())
        going = self.going[-1]
        arrival = Arrival(None if by is None else going.steps[-1], position, host(grad))
        if arrival.by is None:
            going.roots.append((edge, grad.array if isinstance(grad, Tensor) else grad))
        else:
            arrival.by.sent[position] = arrival
        node, place = end_of(edge)
        if isinstance(node, Leaf):
            if node not in going.targets:
                name = self.names.leaves.get(node) or f"leaf {len(going.targets) + 1}"
                before = node.variable.grad if node.variable is not None else None
                going.targets[node] = Target(node, name, None if before is None or not before.array.any() else host(before))
            going.targets[node].arrivals.append(arrival)
            going.targets[node].totals.append(host(total))
        else:
            going.waiting.setdefault(node, [[] for _ in node._outputs or [0]])[place].append(arrival)

    def kept(self, tensor: Any, grad: Any) -> None:
        """The pass has put what arrived at a leaf into its `.grad`."""
        target = self.going[-1].targets.get(tensor.node)
        if target is not None:
            target.after = host(tensor.grad)

    def finished(self) -> None:
        """A pass has ended: split it by loss terms and check its rules, while the arrays are what they were."""
        if self.count > LIMIT or not self.going:
            return
        if self.running and self.running[-1] in self.going[-1].steps:
            return  # a pass within that rule, in which nothing arrived
        ended = self.going.pop()
        state = get_rng_state()  # a user's rule may draw
        with Switch(None, "watch"), no_grad(), np.errstate(all="ignore"):
            ended.terms = terms_of(ended, self.records, self.named_terms)
            add_parts(ended)
            for step in ended.steps:
                step.proof = prove(step)
        set_rng_state(state)
        self.passes.append(ended)
