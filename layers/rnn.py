"""Recurrent layers RNN, LSTM and GRU for sequences, and their cells for a single step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import InitVar
from typing import Any, ClassVar

from layers import init
from layers.calls import Options
from layers.parameter import DeviceLike, DTypeLike, add
from layers.utils.rnn import PackedSequence, Places
from minitorch import cat, functional, stack, zeros
from minitorch.autograd.tensor import Tensor
from minitorch.ops import recurrent


class _Weights(Options, states=1):
    """Weights and biases with `gates` times hidden_size rows each, which start uniform in ±1 / sqrt(hidden_size)."""

    input_size: int
    hidden_size: int
    gates: ClassVar[int]
    states: ClassVar[int]  # how many tensors a state has: h, or h and c

    proj_size = 0
    nonlinearity = "tanh"

    def _add_weights(self, inputs: int, suffix: str, given: Any) -> None:
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"{type(self).__name__}: expected nonlinearity 'tanh' or 'relu', got {self.nonlinearity!r}")
        rows, bias = self.gates * self.hidden_size, (self.gates * self.hidden_size,) if self.bias else None
        shapes: dict[str, Any] = {"weight_ih": (rows, inputs), "weight_hh": (rows, self.proj_size or self.hidden_size)}
        shapes |= {"bias_ih": bias, "bias_hh": bias}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        add(self, given.device, given.dtype, **{name + suffix: shape for name, shape in shapes.items()})

    def _weights(self, suffix: str) -> list[Any]:
        """The weights and biases (None if absent) of one layer and direction, and the projection if there is one."""
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", *(["weight_hr"] if self.proj_size else [])]
        return [getattr(self, name + suffix) for name in names]

    def reset_parameters(self) -> None:
        """Draw all weights and biases again."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        given = {name: getattr(self, name) for name in self.shown or () if name in self.fields}
        others = [f"{name}={value}" for name, value in given.items() if value != self.fields[name].default]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *others])


class _Recurrent(_Weights, shown=("proj_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")):
    """Base class of RNN, LSTM and GRU: layers, directions, forms of the input, and states."""

    num_layers: int = 1

    def _prepare(self, given: Any) -> None:
        name, size, proj_size = type(self).__name__, self.hidden_size, self.proj_size
        if min(self.input_size, size, self.num_layers) < 1:
            sizes = f"{self.input_size}, {size}, num_layers {self.num_layers}"
            raise ValueError(f"{name}: expected sizes of 1 or more, got {sizes}")
        if not 0 <= given.dropout <= 1:
            raise ValueError(f"{name}: expected a dropout probability from 0 to 1, got {given.dropout}")
        if proj_size and (self.states == 1 or not 0 < proj_size < size):
            raise ValueError(f"{name}: expected a proj_size (LSTM only) below hidden_size {size}, got {proj_size}")
        self.dropout = float(given.dropout)
        directions = ["", "_reverse"] if self.bidirectional else [""]
        self._suffixes = [[f"_l{layer}{direction}" for direction in directions] for layer in range(self.num_layers)]
        for layer, suffixes in enumerate(self._suffixes):
            for suffix in suffixes:
                self._add_weights((proj_size or size) * len(suffixes) if layer else self.input_size, suffix, given)
        self.reset_parameters()

    def flatten_parameters(self) -> None:
        """Does nothing; PyTorch lays the weights side by side for cuDNN here."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights and biases of each layer and direction."""
        return [[w for w in self._weights(suffix) if w is not None] for suffixes in self._suffixes for suffix in suffixes]

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Any]) -> tuple[Tensor, ...]:
        """The states (time, n, hidden) after each step of one layer in one direction."""
        raise NotImplementedError

    def forward(self, input: Tensor | PackedSequence, hx: Any = None) -> tuple[Any, Any]:
        packed = input if isinstance(input, PackedSequence) else None
        data: Any = input if packed is None else packed.data
        name, size = type(self).__name__, self.input_size
        if packed is not None and (data.ndim != 2 or data.shape[1] != size):
            raise ValueError(f"{name}: expected packed elements (count, {size}), got shape {tuple(data.shape)}")
        if data.ndim not in (2, 3) or data.shape[-1] != size:
            form = f"(time, n, {size}), (n, time, {size}) if batch_first, or (time, {size})"
            raise ValueError(f"{name}: expected input {form}, got shape {tuple(data.shape)}")
        state = None if hx is None else [hx] if self.states == 1 else list(hx)
        if packed is not None:
            order, back = packed.sorted_indices, packed.unsorted_indices
            state = state if state is None or order is None else [s[:, order] for s in state]
            output, last = self._through_layers(data, state, int(packed.batch_sizes[0].item()), Places(packed.batch_sizes))
            output, last = packed._replace(data=output), [s if back is None else s[:, back] for s in last]
        elif data.ndim == 2:
            state = None if state is None else [s.unsqueeze(1) for s in state]
            output, last = self._through_layers(data.unsqueeze(1), state, 1, None)
            output, last = output.squeeze(1), [s.squeeze(1) for s in last]
        else:
            steps = data.transpose(0, 1) if self.batch_first else data
            output, last = self._through_layers(steps, state, steps.shape[1], None)
            output = output.transpose(0, 1) if self.batch_first else output
        return output, last[0] if self.states == 1 else tuple(last)

    def _through_layers(self, input: Tensor, state: list[Tensor] | None, n: int, places: Places | None) -> tuple[Any, Any]:
        """The output of the last layer and the last states (layers x directions, n, hidden) of all."""
        widths = [self.proj_size or self.hidden_size, self.hidden_size][: self.states]
        shapes = [(self.num_layers * (1 + self.bidirectional), n, width) for width in widths]
        if state is None:
            state = [zeros(shape, dtype=input.dtype, device=input.device) for shape in shapes]
        if [tuple(s.shape) for s in state] != shapes:
            given = ", ".join(str(tuple(s.shape)) for s in state)
            raise ValueError(f"{type(self).__name__}: expected a state of shape {', '.join(map(str, shapes))}, got {given}")
        last: list[list[Tensor]] = [[] for _ in range(self.states)]
        for layer, suffixes in enumerate(self._suffixes):
            if layer and self.dropout:
                input = functional.dropout(input, self.dropout, self.training)
            outputs = []
            for reverse, suffix in enumerate(suffixes):
                first = [s[len(last[0])] for s in state]
                if places is not None:
                    found = self._run(places.padded(input, bool(reverse)), first, self._weights(suffix))
                    outputs.append(places.packed(found[0], bool(reverse)))
                else:
                    found = self._run(input.flip(0) if reverse else input, first, self._weights(suffix))
                    outputs.append(found[0].flip(0) if reverse else found[0])
                for kept, states in zip(last, found):
                    kept.append(states[-1] if places is None else places.last(states))
            input = outputs[0] if len(outputs) == 1 else cat(outputs, -1)
        return input, [stack(states) for states in last]


class RNN(_Recurrent, gates=1):
    """h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), or relu: input (time, n, input_size), state (layers, n, hidden_size).

    Returns the last layer's states after each step (time, n, hidden_size), twice as wide if `bidirectional`, and the last
    states of all layers (layers x directions, n, hidden_size). `batch_first` exchanges time and n of input and output;
    `dropout` acts between layers; the state defaults to zero. Packed sequences give a packed output. Raises ValueError for
    shapes that do not fit (Elman 1990).
    """

    nonlinearity: str = "tanh"
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Any]) -> tuple[Tensor, ...]:
        w_ih, w_hh, b_ih, b_hh = weights
        return (recurrent.rnn(input, state[0], w_ih, w_hh, b_ih, b_hh, self.nonlinearity == "relu"),)


class _Gated(_Recurrent):
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None


class LSTM(_Gated, gates=4, states=2):
    """Long short-term memory; shapes and arguments as in `RNN`, with a state (h, c), each of the shape given there.

    The formulas are in `minitorch.lstm_cell` (Hochreiter & Schmidhuber 1997). With `proj_size`, each step's output and new
    state h are W_hr h, of that length (Sak et al. 2014).
    """

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Any]) -> tuple[Tensor, ...]:
        if not self.proj_size:
            return recurrent.lstm(input, *state, *weights)
        (h, c), (*weights, projection), steps = state, weights, []
        for x in input:
            h, c = recurrent.lstm_cell(x, (h, c), *weights)
            h = functional.linear(h, projection)
            steps.append((h, c))
        return tuple(stack(states) for states in zip(*steps))


class GRU(_Gated, gates=3):
    """Gated recurrent units; shapes and arguments as in `RNN`, formulas as in `minitorch.gru_cell` (Cho et al. 2014)."""

    def _run(self, input: Tensor, state: list[Tensor], weights: list[Any]) -> tuple[Tensor, ...]:
        return (recurrent.gru(input, *state, *weights),)


class _Cell(_Weights, shown=("bias", "nonlinearity")):
    """Base class of the cells: input (n, input_size) or (input_size), and a state of the same form, by default zero."""

    bias: bool = True

    def _prepare(self, given: Any) -> None:
        self._add_weights(self.input_size, "", given)
        self.reset_parameters()

    def _step(self, cell: Callable[..., Any], input: Tensor, hx: Any) -> Any:
        """The result of `cell` for input and state, after checking them."""
        name, shape = type(self).__name__, (*input.shape[:-1], self.hidden_size)
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ValueError(f"{name}: expected input (n, {self.input_size}), got shape {tuple(input.shape)}")
        if hx is None:
            hx = zeros(shape, dtype=input.dtype, device=input.device)
            hx = hx if self.states == 1 else (hx, hx)
        for state in (hx,) if self.states == 1 else hx:
            if state.shape != shape:
                raise ValueError(f"{name}: expected a state of shape {shape}, got {tuple(state.shape)}")
        return cell(input, hx, *self._weights(""))


class RNNCell(_Cell, gates=1):
    """One step of `RNN`: (input, h) to h'; input (n, input_size), h (n, hidden_size), or both without n."""

    nonlinearity: str = "tanh"
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(recurrent.rnn_relu_cell if self.nonlinearity == "relu" else recurrent.rnn_tanh_cell, input, hx)


class _GatedCell(_Cell):
    device: InitVar[DeviceLike] = None
    dtype: InitVar[DTypeLike] = None


class LSTMCell(_GatedCell, gates=4, states=2):
    """One step of `LSTM`: (input, (h, c)) to (h', c')."""

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        return self._step(recurrent.lstm_cell, input, hx)


class GRUCell(_GatedCell, gates=3):
    """One step of `GRU`: (input, h) to h'."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(recurrent.gru_cell, input, hx)
