"""`Op`: a differentiable operation, and the node it leaves on the tape.

`forward` computes on arrays, `backward` turns the gradient of the output into those of the inputs. `Op.apply` runs an
operation; given tensors that require a gradient it also records a node, the `Op` object itself. A node points to the nodes
that made its inputs and to what it saved, never to its own output, so dropping the loss frees the whole graph.

Derivatives are written once. `apply` takes tensors to tensors and arrays to arrays, and so does every function of
minitorch built on it. An ordinary backward pass hands the rules bare arrays; under `create_graph=True` it hands the same
rules tensors, and what they compute is recorded in turn.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd import anomaly
from minitorch.autograd.float_errors import OFF as float_errors_off
from minitorch.autograd.float_errors import reporting as float_errors
from minitorch.autograd.grad_mode import mode
from minitorch.autograd.tensor import Tensor, wrap

next_number = itertools.count(1).__next__
_ndarray = np.ndarray


class Op:
    """A differentiable operation on arrays, and the node it leaves on the tape.

    A subclass writes `forward(ctx, *arrays, **parameters)`, returning a new array (or a tuple of them), and
    `backward(ctx, *grads)`, returning one gradient per input (None where there is none; a lone one needs no tuple). `ctx`
    is the node: `forward` puts arrays that `backward` reads into the tuple `ctx.saved` and anything else into attributes.
    A gradient may have the shape to which its input was broadcast and any float dtype: the engine reduces and casts it.
    `backward` uses operators and minitorch's functions only, so that it runs on arrays and, recorded, on tensors alike.
    """

    # number: creation order, which sorts the tape; edges: per input the node that made it, the leaf tensor, or None;
    # shape, dtype and array_id describe the output, which the node does not hold.
    __slots__ = ("__dict__", "__weakref__", "array_id", "dtype", "edges", "number", "saved", "shape")

    view = False  # whether the output may share the memory of the first input
    hooks: list[Callable] | None = None
    retained: Any = None  # weak reference to an output tensor whose gradient is to be kept
    _origin: anomaly.Origin | None = None  # where it was run, in anomaly mode

    @classmethod
    def apply(cls, *inputs: Any, **parameters: Any) -> Any:
        """Run the operation: tensors in, tensor out (recorded if one requires a gradient); arrays in, array out.

        Raises what `forward` raises, with the operation's name and the shapes; RuntimeError if tensors lie on two devices.
        """
        node = cls()
        node.saved = ()
        arrays = []
        edges = []
        raw = True
        recorded = False
        for value in inputs:
            if isinstance(value, Tensor):
                raw = False
                arrays.append(value.array)
                if value._requires_grad:
                    recorded = True
                    edges.append(value.grad_fn or value)
                else:
                    edges.append(None)
            else:
                arrays.append(value)
                edges.append(None)
        recorded = recorded and mode.recording
        node.edges = edges if recorded else ()
        watch = mode.anomaly
        before = None if raw else float_errors.set(float_errors_off)  # a rule runs inside a pass, which has done so
        try:
            if watch is None:
                out = node.forward(*arrays, **parameters)
            else:
                out = anomaly.run_forward(watch, node, arrays, parameters, raw)
        except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError) as reason:
            explained = _explained(reason, node, arrays)
            if explained is reason:
                raise
            raise explained from reason
        finally:
            if before is not None:
                float_errors.reset(before)
        if type(out) is not _ndarray:
            if type(out) is tuple:
                return _several(node, out, raw, recorded)
            out = _as_array(node, out)
        if raw:
            return out
        if recorded and out.dtype.kind in "fc":
            node.number = next_number()
            node.shape = out.shape
            node.dtype = out.dtype
            node.array_id = id(out)
            result = wrap(out, node)
        else:
            result = wrap(out)
        if cls.view:
            result._viewed = inputs[0]._viewed = True
        return result

    def forward(ctx, *arrays: Any, **parameters: Any) -> Any:
        raise NotImplementedError(f"{type(ctx).__name__}.forward is not written")

    def backward(ctx, *grads: Any) -> Any:
        raise RuntimeError(f"{ctx.name}: this operation has no derivative")

    def needs(ctx, position: int) -> bool:
        """Whether a gradient is wanted for the input at `position`."""
        return bool(ctx.edges) and ctx.edges[position] is not None

    @property
    def name(ctx) -> str:
        """The operation's name as users write it: LogSoftmax is log_softmax, Conv2d is conv2d."""
        title = type(ctx).__name__
        return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(title))


class Output(Op):
    """One output of an operation that has several; the engine hands its gradient on to that operation."""

    def __init__(self, node: Op, position: int, array: Any) -> None:
        self.edges, self.saved, self.number = [node], (), next_number()
        self.position = position
        self.shape, self.dtype, self.array_id = array.shape, array.dtype, id(array)

    @property
    def name(self) -> str:
        """The name of the operation whose output it is."""
        return self.edges[0].name

    @property
    def _origin(self) -> anomaly.Origin | None:
        return self.edges[0]._origin


def _several(node: Op, outs: tuple, raw: bool, recorded: bool) -> tuple:
    """The outputs of an operation that has several: integer ones, and those it lists as constant, have no gradient."""
    arrays = tuple(_as_array(node, out) for out in outs)
    if raw:
        return arrays
    if not recorded:
        return tuple(wrap(array) for array in arrays)
    node.number, node.outputs, node.array_id = next_number(), len(arrays), None
    node.shape = [array.shape for array in arrays]
    node.dtype = [array.dtype for array in arrays]
    node.output_ids = [id(array) for array in arrays]
    constant = getattr(node, "constant_ids", ())
    outputs = [
        Output(node, i, array) if array.dtype.kind in "fc" and id(array) not in constant else None
        for i, array in enumerate(arrays)
    ]
    node.output_nodes = [output and weakref.ref(output) for output in outputs]
    return tuple(wrap(array, output) for array, output in zip(arrays, outputs))


def _as_array(node: Op, out: Any) -> Any:
    """`out` as an array: NumPy makes scalars of 0-d results, which may have been saved as well."""
    if backend.is_array(out):
        return out
    if not isinstance(out, np.generic):
        raise TypeError(f"{node.name}: forward must return an array, got {type(out).__name__}")
    array = np.asarray(out)
    node.saved = tuple(array if entry is out else entry for entry in node.saved)
    return array


def _explained(reason: Exception, node: Op, arrays: list) -> Exception:
    """The same kind of error, saying which operation failed on which inputs."""
    given = [value for value in arrays if backend.is_array(value)]
    devices = [str(backend.device_of(array)) for array in given]
    if len(set(devices)) > 1:
        return RuntimeError(f"{node.name}: expected all tensors on one device, got {', '.join(devices)}; move them with .to()")
    if str(reason).startswith(node.name + ":"):
        return reason
    message = f"{node.name}: {reason} (inputs: {anomaly.described(arrays)})"
    try:
        return type(reason)(message)
    except TypeError:  # a subclass that is not made of a message, as NumPy has some
        builtin = next(kind for kind in type(reason).__mro__ if kind.__module__ == "builtins")
        return builtin(message)


# When memory was last changed in place, and by what: {id of its owner: (number, name)}. A node with a lower number that had
# saved it must not run. An entry that outlives its memory is harmless: whoever saves the next array at that address does so
# in a node with a higher number.
_changed: dict[int, tuple[int, str]] = {}


def mark_changed(array: Any, by: str) -> None:
    """Note that the memory of `array` was changed in place, by the method called `by`."""
    _changed[id(backend.memory_of(array))] = (next_number(), by)


def check_unchanged(node: Op, arrays: Iterable[Any]) -> None:
    """Raise RuntimeError if one of `arrays`, which `node` saved, has been changed in place since."""
    for array in arrays if _changed else ():
        if array is not None and (type(array) is _ndarray or backend.is_array(array)):
            owner = array if array.base is None else backend.memory_of(array)
            number, by = _changed.get(id(owner), (0, ""))
            if number > node.number:
                raise RuntimeError(
                    f"{node.name}: an array of shape {array.shape} that it saved for its backward was changed in place by "
                    f"{by}; change a clone() of it, or change it after backward().{anomaly.ran_at(node)}"
                )


def on_the_tape(node: Op) -> Op:
    """A twin of `node` whose saved arrays are tensors, tied to the graph where they were its inputs or its outputs."""

    def tied(array: Any) -> Any:
        if not backend.is_array(array):
            return array
        if id(array) == node.array_id:
            return wrap(array, node)
        if node.array_id is None and id(array) in node.output_ids:
            position = node.output_ids.index(id(array))
            reference = node.output_nodes[position]
            return wrap(array, reference and (reference() or Output(node, position, array)))
        for edge in node.edges:
            if isinstance(edge, Tensor):
                if edge.array is array:
                    return edge
            elif edge is not None and edge.array_id == id(array):
                return wrap(array, edge)
        return wrap(array)

    twin = type(node).__new__(type(node))
    for name, value in vars(node).items():
        constant = isinstance(value, Tensor) and not value._requires_grad  # an array that a user's function kept so
        twin.__dict__[name] = tied(value.array) if constant else value
    twin.edges, twin.number, twin.shape, twin.dtype = node.edges, node.number, node.shape, node.dtype
    twin.saved = tuple(tied(entry) for entry in node.saved)
    return twin
