"""Writes nets as ONNX files for other programs, as `torch.onnx.export`. Needs `pip install onnx onnxruntime`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final

import numpy as np

from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.autograd.watch import Watch
from minitorch.backend import array_module
from minitorch.files.atomic import atomic_write
from minitorch.ops.promotion import matched

__all__ = ["export"]

OPERATORS: Final = 20  # the version of ONNX's operators
FORMAT: Final = 10  # the version of the file format, read by programs since 2024
_WHY: Final = "Does it depend on chance, on the batch size, or on numbers that were taken out of tensors?"


def export(
    model: Any,
    args: Tensor | Sequence[Tensor],
    f: Any,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_axes: Mapping[str, Any] | None = None,
) -> None:
    """Write the net `model`, in evaluation mode, as it computes on the tensors `args`, to the path or binary file `f`.

    Sizes are those of `args`, but `dynamic_axes={"x": [0]}` leaves the first size of input x open, for batches. The file is
    then tested: onnxruntime runs it on other numbers, and the results are compared with the net's. Raises NotImplementedError
    for an operation without a translation, RuntimeError if the comparison fails, ValueError for tensors on a GPU.
    """
    import onnx
    import onnxruntime

    tensors = _listed(args)
    if any(array_module(tensor.array) is not np for tensor in (*tensors, *model.state_dict().values())):
        raise ValueError("onnx.export: the net and its inputs must be on the CPU: use .to('cpu') first")
    names = list(input_names or inspect.signature(model.forward).parameters)[: len(tensors)]
    axes = {name: list((dynamic_axes or {}).get(name, ())) for name in names}
    if len(names) < len(tensors) or any(axis != [0] for axis in axes.values() if axis):
        wanted = "a name for each input and dynamic_axes of 0 alone"
        raise ValueError(f"onnx.export: expected {wanted}, got {names}, {dynamic_axes}")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        graph = Graph(onnx, dict(zip(names, tensors)), model.state_dict(), any(axes.values()))
        with Switch(True), Switch(graph, "watch"):  # recorded, so that in-place changes are operations, too
            results = _listed(model(*tensors))
        ends = list(output_names or (f"output_{i}" for i in range(len(results))))
        for result, end in zip(results, ends):
            graph.nodes.append(onnx.helper.make_node("Identity", [graph.named(result.array)], [end]))
        written = graph.model(axes, dict(zip(names, tensors)), dict(zip(ends, results)))
        onnx.checker.check_model(written, full_check=True)

        rng = np.random.default_rng(0)
        others = [_other(tensor.array, bool(axes[name]), rng) for name, tensor in zip(names, tensors)]
        with Switch(False):
            expected = [result.array for result in _listed(model(*map(wrap, others)))]
        session = onnxruntime.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
        try:
            got = session.run(None, dict(zip(names, others)))
        except Exception as reason:  # of a size that was taken for a constant
            raise RuntimeError(f"onnx.export: onnxruntime fails on inputs other than those given. {_WHY} {reason}") from reason
    finally:
        for module, training in modes:
            module.training = training
    for end, one, other in zip(ends, expected, got):
        share = 1e-3 if one.dtype.kind == "f" else 0.0  # whole numbers, such as classes, must be equal
        if one.shape != other.shape or not np.allclose(one, other, rtol=share, atol=share * np.abs(one).max(initial=0)):
            said = f"for inputs other than those given, {end} differs from what the net computes"
            raise RuntimeError(f"onnx.export: {said}. {_WHY}")
    with nullcontext(f) if hasattr(f, "write") else atomic_write(f) as file:
        file.write(written.SerializeToString())


def _listed(given: Any) -> list[Tensor]:
    return [given] if isinstance(given, Tensor) else list(given)


def _other(a: np.ndarray, longer: bool, rng: np.random.Generator) -> np.ndarray:
    """Other numbers of the same dtype, with one more row if `longer`: normal around the mean, or integers drawn from `a`."""
    shape = (len(a) + longer, *a.shape[1:]) if a.ndim else ()
    drawn = rng.choice(a.ravel(), shape) if a.dtype.kind in "iub" else rng.normal(a.mean(), a.std() or 1, shape)
    return np.asarray(drawn, a.dtype)


def _place(a: np.ndarray) -> tuple[Any, ...]:
    """A key that differs for all live arrays except those of the same memory, shape and strides."""
    return a.__array_interface__["data"][0], a.shape, a.strides, a.dtype


class Graph(Watch):
    """The ONNX nodes of one forward pass, and the names of its arrays."""

    name = "onnx.export"

    def __init__(self, onnx: Any, inputs: Mapping[str, Tensor], states: Mapping[str, Tensor], batch: bool) -> None:
        self.onnx: Any = onnx
        self.batch: bool = batch
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.names: dict[tuple[Any, ...], str] = {_place(tensor.array): name for name, tensor in inputs.items()}
        self.states: dict[tuple[Any, ...], str] = {_place(tensor.array): name for name, tensor in states.items()}
        self.alive: list[Any] = [inputs, states]  # keeps arrays alive, so that no address is used twice

    def forward(self, node: Any, inputs: list[Any], parameters: dict[Any, Any], raw: bool) -> Any:
        """Run the operation and, if it depends on the inputs of the net, add its node."""
        out = node.forward(*inputs, **parameters)
        if raw or not any(isinstance(a, np.ndarray) and _place(a) in self.names for a in inputs):
            return out
        rule = RULES.get(type(node).__name__) if type(node).__module__.startswith("minitorch.ops.") else None
        if rule is None:
            raise NotImplementedError(f"onnx.export: there is no translation to ONNX for {node.title}")
        out = np.asarray(out)
        self.names[_place(out)] = rule(self, out, *inputs, **parameters)
        self.alive.append(out)
        return out

    def named(self, value: Any, dtype: Any = None) -> str:
        """The name of an array, or of a number in `dtype`; both are constants unless they depend on the inputs."""
        if isinstance(value, str):
            return value
        if not isinstance(value, np.ndarray):
            value = np.asarray(value, dtype)
        place = _place(value)
        if place in self.names:
            name = self.names[place]
            return name if dtype in (None, value.dtype) else self.add("Cast", name, to=self.type_of(dtype))
        if dtype is not None:
            value = value.astype(dtype, copy=False)
        name = self.states.get(place, "") or f"constant_{len(self.initializers)}"
        self.initializers[name] = self.onnx.numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def add(self, operator: str, *operands: Any, dtype: Any = None, **attributes: Any) -> str:
        """Add a node with operands (names, arrays, numbers or None) cast to `dtype`; returns the name of its result."""
        given = ["" if value is None else self.named(value, dtype) for value in operands]
        while given and not given[-1]:
            given.pop()
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, given, [name], name=name, **attributes))
        return name

    def whole(self, numbers: Sequence[int]) -> str:
        """The name of a list of integers."""
        return self.named(np.array(numbers, np.int64))

    def reshaped(self, value: Any, shape: Sequence[int]) -> str:
        """`value` in another shape, whose first size stays open if the batch size does."""
        return self.add("Reshape", value, self.whole([-1, *shape[1:]] if self.batch and shape else shape))

    def type_of(self, dtype: Any) -> int:
        """The number of a dtype in ONNX."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def model(self, axes: Mapping[str, Any], inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> Any:
        """The ONNX model of all nodes."""
        helper = self.onnx.helper

        def described(name: str, tensor: Tensor, first: Any) -> Any:
            shape = [*tensor.shape] if first == 0 else [first, *tensor.shape[1:]][: tensor.ndim]
            return helper.make_tensor_value_info(name, self.type_of(tensor.dtype), shape)

        starts = [described(name, tensor, "batch" if axes[name] else 0) for name, tensor in inputs.items()]
        ends = [described(name, tensor, None if self.batch else 0) for name, tensor in outputs.items()]
        graph = helper.make_graph(self.nodes, "net", starts, ends, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", OPERATORS)]
        return helper.make_model(graph, producer_name="minitorch", ir_version=FORMAT, opset_imports=opsets)


# ---- operations, by the names of their classes -------------------------------------------------------------------------------
# A rule gets the graph, the result and the arguments of `forward`, and returns the name of the result.


def _each(rule: Callable[..., str], operators: Mapping[str, str]) -> dict[str, Callable[..., str]]:
    """One rule for several operations: it gets ONNX's name of the operator first."""
    return {name: partial(rule, operator) for name, operator in operators.items()}


def _window(window: Any) -> dict[str, Any]:
    """The attributes of a window in ONNX."""
    pads = [side for sides in zip(*window.padding) for side in sides]  # top, left, bottom, right
    return {"kernel_shape": window.kernel, "strides": window.stride, "dilations": window.dilation, "pads": pads}


def _sum_pool2d(graph: Graph, out: Any, a: Any, window: Any) -> str:
    means = graph.add("AveragePool", a, count_include_pad=1, **_window(window))
    return graph.add("Mul", means, math.prod(window.kernel), dtype=out.dtype)


def _slice(graph: Graph, out: Any, a: Any, index: Any) -> str:
    """Slices, then a reshape if integers have removed dimensions or None has added some."""
    entries = [entry for entry in index if entry is not None]
    if Ellipsis in entries:
        at = entries.index(Ellipsis)
        entries[at : at + 1] = [slice(None)] * (a.ndim - len(entries) + 1)
    cuts = []
    for axis, (entry, n) in enumerate(zip(entries, a.shape)):
        start, stop, step = entry.indices(n) if isinstance(entry, slice) else (entry % n, entry % n + 1, 1)
        if (start, stop, step) != (0, n, 1):
            cuts.append((start, stop, axis, step))
    result = graph.add("Slice", a, *map(graph.whole, zip(*cuts))) if cuts else graph.named(a)
    plain = None not in index and all(isinstance(entry, slice) for entry in entries)
    return result if plain else graph.reshaped(result, out.shape)


def _arg(graph: Graph, out: Any, a: Any, dim: Any, keepdim: bool, largest: bool) -> str:
    whole = graph.add("Reshape", a, graph.whole([-1])) if dim is None else a
    found = graph.add("ArgMax" if largest else "ArgMin", whole, axis=dim or 0, keepdims=int(keepdim))
    return graph.add("Reshape", found, graph.whole(out.shape)) if dim is None else found


# fmt: off
_SAME = {name: name for name in ("Abs", "Add", "Cos", "Div", "Erf", "Exp", "Floor", "Gelu", "Log", "Mul", "Neg", "Pow", "Relu",
                                 "Sigmoid", "Sign", "Sin", "Sqrt", "Sub", "Tanh")}
_SAME |= {"Matmul": "MatMul", "Maximum": "Max", "Minimum": "Min"}
_COMPARISONS = {"Eq": "Equal", "Lt": "Less", "Le": "LessOrEqual", "Gt": "Greater", "Ge": "GreaterOrEqual"}
_OVER = {"Sum": "ReduceSum", "Mean": "ReduceMean", "Logsumexp": "ReduceLogSumExp"}
_ALONG = {"Cat": "Concat", "Softmax": "Softmax", "LogSoftmax": "LogSoftmax"}
# fmt: on
RULES: Final[dict[str, Callable[..., str]]] = {
    **_each(lambda name, graph, out, *inputs: graph.add(name, *inputs, dtype=out.dtype), _SAME),
    **_each(lambda name, graph, out, a, b: graph.add(name, a, b, dtype=matched(a, b)[0].dtype), _COMPARISONS),
    **_each(lambda name, graph, out, a, dims, keepdim: graph.add(name, a, graph.whole(dims), keepdims=int(keepdim)), _OVER),
    **_each(lambda name, graph, out, *inputs, dim: graph.add(name, *inputs, axis=dim), _ALONG),
    "Clone": lambda graph, out, a, shape=None: graph.named(a) if shape is None else graph.reshaped(a, out.shape),
    "InPlace": lambda graph, out, a, memory: graph.named(a),
    "Reshape": lambda graph, out, a, shape: graph.reshaped(a, out.shape),
    "Arg": _arg,
    "Conv2d": lambda graph, out, x, w, b, window: graph.add("Conv", x, w, b, group=window.groups, **_window(window)),
    "Embedding": lambda graph, out, table, index, padding_idx: graph.add("Gather", table, index),
    "LeakyRelu": lambda graph, out, a, slope: graph.add("LeakyRelu", a, alpha=slope),
    "Linear": lambda graph, out, x, w, b: graph.add("Gemm", x, w, b, transB=1),
    "MaxPool2d": lambda graph, out, a, window: graph.add("MaxPool", a, **_window(window)),
    "Permute": lambda graph, out, a, dims: graph.add("Transpose", a, perm=dims),
    "Silu": lambda graph, out, a: graph.add("Mul", a, graph.add("Sigmoid", a)),
    "Slice": _slice,
    "SumPool2d": _sum_pool2d,
    "To": lambda graph, out, a, dtype, where: graph.named(a, dtype),
    "Where": lambda graph, out, c, a, b: graph.add("Where", c, graph.named(a, out.dtype), graph.named(b, out.dtype)),
}
