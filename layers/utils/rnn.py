"""Sequences of different lengths, as in torch.nn.utils.rnn: padded to one tensor, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minitorch import arange, functional, stack, tensor, where
from minitorch.autograd.tensor import Tensor


class PackedSequence(NamedTuple):
    """Sequences step by step, longest first: `data` has the first elements of all, then the second elements, and so on.

    `batch_sizes` (time), int64 on the host, says how many sequences have each step. `sorted_indices` (n) sorts the sequences
    from the order given, `unsorted_indices` restores that order; both are None if they were given sorted.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with `data.to(...)`."""
        return self._replace(data=self.data.to(*args, **kwargs))


class Places:
    """The positions of packed elements in a padded tensor (time, n, ...), and the reverse; longest sequence first."""

    def __init__(self, batch_sizes: Tensor) -> None:
        steps, places = arange(len(batch_sizes)).reshape(-1, 1), arange(int(batch_sizes[0].item())).reshape(1, -1)
        self.inside = places < batch_sizes.reshape(-1, 1)
        self.lengths = self.inside.sum(0)
        starts = (batch_sizes.cumsum(0) - batch_sizes).reshape(-1, 1)
        ends = where(self.inside, self.lengths - 1 - steps, 0)  # the step read when a sequence is run backwards
        self.rows = where(self.inside, starts + places, 0), where(self.inside, starts[ends, 0] + places, 0)
        time, place = self.inside.nonzero(as_tuple=True)
        self.at = (time, place), (self.lengths[place] - 1 - time, place)

    def padded(self, data: Tensor, reverse: bool = False) -> Tensor:
        """(time, n, ...), each sequence from its first element, or reversed; the values after its end are arbitrary."""
        return data[self.rows[reverse].to(device=data.device)]

    def packed(self, padded: Tensor, reverse: bool = False) -> Tensor:
        """The reverse of `padded`."""
        return padded[tuple(index.to(device=padded.device) for index in self.at[reverse])]

    def last(self, padded: Tensor) -> Tensor:
        """The last element of each sequence (n, ...) of a tensor from `padded`."""
        return padded[(self.lengths - 1).to(device=padded.device), arange(len(self.lengths), device=padded.device)]


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack `input` (time, n, ...), or (n, time, ...) if `batch_first`; sequence i has `lengths[i]` elements.

    Raises ValueError for lengths below 1, above the input's, or not in decreasing order (unless `enforce_sorted=False`).
    """
    if batch_first:
        input = input.transpose(0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(counts) != input.shape[1] or not counts or min(counts) < 1 or max(counts) > input.shape[0]:
        expected = f"{input.shape[1]} lengths from 1 to {input.shape[0]} for input {tuple(input.shape)}"
        raise ValueError(f"pack_padded_sequence: expected {expected}, got {counts}")
    order = sorted(range(len(counts)), key=lambda i: -counts[i])
    if enforce_sorted and order != list(range(len(counts))):
        raise ValueError(f"pack_padded_sequence: expected decreasing lengths, got {counts}; pass enforce_sorted=False")
    sizes = [sum(count > t for count in counts) for t in range(max(counts))]
    time = [t for t, size in enumerate(sizes) for _ in range(size)]
    place = [order[i] for size in sizes for i in range(size)]
    data = input[tensor(time, device=input.device), tensor(place, device=input.device)]
    batch_sizes = tensor(sizes, device="cpu")
    if enforce_sorted:
        return PackedSequence(data, batch_sizes)
    back = sorted(range(len(order)), key=order.__getitem__)
    return PackedSequence(data, batch_sizes, *(tensor(index, device=input.device) for index in (order, back)))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0
) -> tuple[Tensor, Tensor]:
    """The padded tensor (time, n, ...), or (n, time, ...) if `batch_first`, and the lengths (n), in the order given."""
    places = Places(sequence.batch_sizes)
    out = places.padded(sequence.data)
    inside = places.inside.to(device=out.device).reshape(*places.inside.shape, *[1] * (out.ndim - 2))
    out, lengths = where(inside, out, padding_value), places.lengths
    if sequence.unsorted_indices is not None:
        out, lengths = out[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices.cpu()]
    return (out.transpose(0, 1) if batch_first else out), lengths


def pad_sequence(sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0) -> Tensor:
    """Pad tensors (length, ...) to the greatest length, in one tensor (time, n, ...), or (n, time, ...) if `batch_first`.

    Raises ValueError for no tensor, and for what is no tensor of at least one dimension.
    """
    if not len(sequences) or not all(isinstance(sequence, Tensor) and sequence.ndim for sequence in sequences):
        kinds = ", ".join(f"{type(sequence).__name__}" for sequence in sequences) or "none"
        raise ValueError(f"pad_sequence: expected one tensor (length, ...) or more, got {kinds}")
    longest = max(map(len, sequences))
    widths = [[0, 0] * (sequence.ndim - 1) + [0, longest - len(sequence)] for sequence in sequences]
    padded = [functional.pad(sequence, around, value=padding_value) for sequence, around in zip(sequences, widths)]
    return stack(padded, 0 if batch_first else 1)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack tensors (length, ...); raises ValueError unless they are ordered longest first or `enforce_sorted` is False."""
    return pack_padded_sequence(pad_sequence(sequences), list(map(len, sequences)), enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded tensor (time, n, ...), or (n, time, ...) if `batch_first`, each with its own length."""
    whole = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [sequence[:length] for sequence, length in zip(whole, lengths.tolist())]
