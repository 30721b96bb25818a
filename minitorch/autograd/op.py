"""`Op`: a differentiable operation, and the node it leaves in the graph.

`forward` computes on arrays, `backward` turns the gradient of the output into those of the inputs. `Op.apply` runs an
operation; given tensors that require a gradient it also records a node, the `Op` object itself.

Derivatives are written once. `apply` takes tensors to tensors and arrays to arrays, and so does every function of
minitorch built on it. An ordinary backward pass gives the rules bare arrays; under `create_graph=True` it gives the same
rules tensors, and what they compute is recorded in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.autograd import errors, outputs
from minitorch.autograd.float_errors import OFF, reporting
from minitorch.autograd.grad_mode import mode, watched
from minitorch.autograd.node import Node, next_number
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.views import note

_ndarray = np.ndarray


class Op(Node):
    """A differentiable operation on arrays, and the node it leaves in the graph.

    A subclass writes `forward(ctx, *arrays, **parameters)`, returning a new array (or a tuple of them), and
    `backward(ctx, *grads)`, returning one gradient per input (None where there is none; a lone one needs no tuple). `ctx`
    is the node: `forward` puts arrays that `backward` reads into the tuple `ctx.saved` and anything else into attributes.
    To be differentiable twice it keeps only inputs, outputs, and constants, which it declares by `ctx.mark_constant`.
    A gradient may have the shape to which its input was broadcast and any float dtype: the engine reduces and casts it.
    `backward` uses operators and minitorch's functions only, so that it runs on arrays and, recorded, on tensors alike.
    """

    view = False  # whether the output may share the memory of the first input

    @classmethod
    def apply(cls, *inputs: Any, **parameters: Any) -> Any:
        """Run the operation: tensors in, tensor out (recorded if one requires a gradient); arrays in, array out.

        Raises what `forward` raises, with the operation's name and the shapes; RuntimeError if tensors lie on two devices.
        """
        node = cls()
        node.saved = ()
        arrays, edges = [], []
        raw, wanted, constants = True, False, False
        for value in inputs:
            edge = None
            if isinstance(value, Tensor):
                if value._view is not None:
                    value._view.follow(value)
                raw, edge, value = False, value._node, value.array
            if edge is None:
                constants = True
            else:
                wanted = True
            arrays.append(value)
            edges.append(edge)
        recorded = wanted and mode.recording
        node.edges = edges if recorded else ()
        watch = mode.watch if watched else None
        before = None if raw else reporting.set(OFF)  # a rule runs inside a pass, which has already done this
        try:
            out = node.forward(*arrays, **parameters) if watch is None else watch.forward(node, arrays, parameters, raw)
        except errors.EXPLAINED as reason:
            raise errors.in_forward(reason, node, arrays)  # noqa: B904 (it has its cause already)
        finally:
            if before is not None:
                reporting.reset(before)
        if type(node.saved) is not tuple:
            raise errors.saved_no_tuple(node)
        if recorded and constants:
            node._constants += tuple(map(id, arrays))
        if type(out) is not _ndarray:
            out = outputs.arrays_of(node, out)
            if type(out) is tuple:
                return outputs.several(node, out, raw)
        if raw:
            return out
        if recorded and (out.dtype.kind == "f" or (out.dtype.kind == "c" and errors.is_step(node, out))):
            node._number, node._shape, node._dtype, node._array_id = next_number(), out.shape, out.dtype, id(out)
            result = wrap(out, node)
        else:
            result = wrap(out)
        if cls.view:
            note(result, inputs[0], cls, parameters)
        return result

    def forward(ctx, *arrays: Any, **parameters: Any) -> Any:
        raise NotImplementedError(f"{type(ctx).__name__}.forward is not written")

    def backward(ctx, *grads: Any, **_: Any) -> Any:  # with `**_` pyright takes any form in a subclass
        raise RuntimeError(f"{ctx.title}: this operation has no derivative")

    def mark_constant(ctx, *arrays: Any) -> None:
        """Declare, in `forward`, that these arrays, which `backward` reads, do not depend on the inputs, such as a mask."""
        ctx._constants += tuple(id(array.array if isinstance(array, Tensor) else array) for array in arrays)

    def needs(ctx, position: int) -> bool:
        """Whether a gradient is wanted for the input at `position`."""
        return ctx.edges[position] is not None if ctx.edges else False
