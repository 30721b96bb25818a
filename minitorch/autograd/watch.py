"""`Watch`: an observer of operations and backward passes, such as anomaly mode.

`with Switch(watch, "watch"):` makes `watch` the one that the engine calls in this thread, at the points below; `mode.watch` is
None outside. A gradient that is None is not reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.node import Node


class Watch:
    """Observes and changes nothing. A subclass writes the methods it needs; `forward` and `rule` return what they run."""

    name = "a watch"

    def make_room_for(self, other: Watch) -> None:
        """Called before `other` takes over; one of the same kind may, for its own block."""
        if type(other) is not type(self):
            raise RuntimeError(f"{other.name}: this thread is watched by {self.name} already; leave that block first")

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run `node.forward` on the arrays `inputs` and return what it returns; `raw`: on arrays, within a rule.

        `node.edges` are the nodes of the inputs, () if the operation is not recorded. The node has no number yet.
        """
        return node.forward(*inputs, **parameters)

    def rule(self, node: Any, rule: Any, incoming: Any) -> Any:
        """Run `rule.backward` on the gradients of the outputs and return what it returns.

        `rule` is `node`, or under `create_graph=True` its twin, whose saved arrays, as the gradients, are tensors.
        """
        return rule.backward(*incoming)

    def given(self, name: str, node: Node, grad: Any) -> None:
        """`grad`, a tensor, is the gradient from which `name`, "backward" or "grad", starts at `node`."""

    def fitted(self, node: Any, position: int, given: Any, kept: Any) -> None:
        """The gradient of input `position` that the rule of `node` gave was summed over axes or cast; `kept` is the result."""

    def arrived(self, edge: Node, grad: Any, total: Any, by: Any, position: int) -> None:
        """`grad` reached the node `edge`, and with it the sum in this pass is `total` (`grad` itself if it is the first).

        It is the gradient of input `position` of the node `by`; where `by` is None, of output `position` of the pass. For the
        node of an operation with several outputs both are `minitorch.autograd.outputs.Parts`.
        """

    def hooked(self, node: Node, hook: Callable[..., Any], grad: Any) -> None:
        """`hook` has put `grad` in the place of the gradient of `node`."""

    def kept(self, tensor: Any, grad: Any) -> None:
        """`grad`, the whole gradient of a leaf or retained tensor, has been added to `tensor.grad`."""

    def finished(self) -> None:
        """A backward pass has ended."""
