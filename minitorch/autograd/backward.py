"""The backward pass: gradients travel back through the graph, from outputs to leaves.

The rule of an operation may run only when every use of its output has contributed to the gradient. Depth first would be wrong:
in h = x * 2; y = h * 3 + h it could go from y through the product to h and on to x before the second use of h has added its
part. Node numbers solve this: every user of h was made after h, so running rules in descending order of number delivers all
parts to h before its own turn, and every rule runs once. A heap gives the highest waiting number, without recursion.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from minitorch.autograd import errors
from minitorch.autograd.changes import FREED, check_saved
from minitorch.autograd.float_errors import OFF, reporting
from minitorch.autograd.grad_mode import mode, watched
from minitorch.autograd.gradients import added, fitted, keep, starts
from minitorch.autograd.hooks import observe, run_hooks
from minitorch.autograd.node import Node
from minitorch.autograd.outputs import completed
from minitorch.autograd.recorded import on_the_tape
from minitorch.autograd.tensor import Tensor

_ndarray = np.ndarray


def backward(
    tensors: Tensor | Iterable[Tensor],
    grad_tensors: Tensor | Iterable[Tensor | None] | None,
    retain_graph: bool | None,
    create_graph: bool,
) -> None:
    """Add the gradients of `tensors` to `.grad` of every leaf they were computed from.

    Raises RuntimeError for a tensor without history, a non-scalar without `grad_tensors`, a graph already freed by an
    earlier call (unless that had `retain_graph=True`), or a saved array changed in place since the forward pass.
    """
    roots = starts("backward", tensors, grad_tensors, create_graph)
    run_pass(roots, create_graph if retain_graph is None else retain_graph, create_graph)


def run_pass(roots: list[tuple[Node, Any]], keep_graph: bool, record: bool, found: dict[Node, Any] | None = None) -> None:
    """Run one backward pass, and record its operations if `record`."""
    before, mode.recording, warnings, watch = mode.recording, record, reporting.set(OFF), mode.watch if watched else None
    try:
        settle(sweep(roots, keep_graph, record, found, watch), found, watch)
        if watch is not None:
            watch.finished()
    finally:
        mode.recording = before
        reporting.reset(warnings)


def sweep(
    roots: list[tuple[Node, Any]], keep_graph: bool, record: bool, found: dict[Node, Any] | None, watch: Any
) -> dict[Node, Any]:
    """Run the rules from `roots` down and return what arrived at the leaves; with `found`, only at its nodes."""
    needed: Any = None if found is None else on_the_way(found, [node for node, _ in roots])
    arrived: dict[Node, Any] = {}  # for each node that has been reached, the sum of what has arrived so far
    queue: list[tuple[int, Node]] = []  # the operations among them, the highest number first
    node: Any = None  # the operation whose rule has just run; at first none, and the pass itself gives the gradients
    edges: Sequence[Node | None] = [root for root, _ in roots]
    parts: Sequence[Any] = [start for _, start in roots]
    while True:
        for position, edge in enumerate(edges):
            part = parts[position]
            if edge is None or part is None or (needed is not None and edge not in needed):
                continue
            if type(part) is not _ndarray or part.shape != edge._shape or part.dtype != edge._dtype:
                part = part if node is None else fitted(part, edge, node, position)
            if edge in arrived:
                alone = sys.getrefcount(arrived[edge]) == _ALONE
                arrived[edge] = added(arrived[edge], part, alone)
            else:
                arrived[edge] = part
                if edge.edges:
                    heappush(queue, (-edge._number, edge))
            if watch is not None:
                watch.arrived(edge, part, arrived[edge], node, position)
        if not queue:
            return arrived
        node = heappop(queue)[1]
        grad = arrived.pop(node)
        if node._hooks is not None:
            grad = observe(node, grad)
        if found is not None and node in found:
            found[node] = grad
        stop = needed is not None and not needed[node]
        edges, parts = ((), ()) if stop else (node.edges, apply_rule(node, grad, keep_graph, record, watch))


def settle(leaves: dict[Node, Any], found: dict[Node, Any] | None, watch: Any) -> None:
    """Store the complete gradient of each leaf in its `.grad`, or in `found`."""
    for leaf in leaves:
        if leaf._hooks is not None:
            leaves[leaf] = run_hooks(leaf, leaves[leaf])
        if found is None:
            alone = sys.getrefcount(leaves[leaf]) == _ALONE
            keep(leaf._keeper(), leaves[leaf], alone, watch)
        else:
            found[leaf] = leaves[leaf]


_box = {None: object()}
_ALONE = sys.getrefcount(_box[None])  # the count for an object that only a dictionary refers to


def apply_rule(node: Any, grad: Any, keep_graph: bool, record: bool, watch: Any) -> tuple[Any, ...]:
    """The gradients of the inputs of `node`, by its own `backward`; what it saved is freed unless the graph is kept."""
    if node.saved:
        check_saved(node)
    rule = on_the_tape(node) if record else node
    grads = (grad,) if node._outputs is None else completed(node, grad)
    try:
        parts = rule.backward(*grads) if watch is None else watch.rule(node, rule, grads)
    except errors.EXPLAINED as reason:
        raise errors.in_backward(reason, node, grads)  # noqa: B904 (it has its cause already)
    if node.saved and not keep_graph:
        node.saved = FREED
    if type(parts) is not tuple:
        parts = (parts,)
    if len(parts) != len(node.edges):
        raise RuntimeError(f"{node.title}.backward: {len(parts)} gradients for {len(node.edges)} inputs")
    return parts


def on_the_way(targets: Iterable[Node], roots: list[Node]) -> dict[Node, bool]:
    """The nodes below `roots` on a path to one of `targets`, and whether their rules must run."""
    below, stack = set(), roots
    while stack:
        node = stack.pop()
        if node not in below:
            below.add(node)
            stack.extend(edge for edge in node.edges if edge is not None)
    way = dict.fromkeys(targets, False)
    for node in sorted(below, key=lambda node: node._number):  # an operation comes after those that made its inputs
        if any(edge in way for edge in node.edges):
            way[node] = True
    return way
