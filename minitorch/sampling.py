"""Random draws: new tensors, and tensors filled in place. All are drawn on the host (`minitorch.random`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.creation import LikeOptions, Options, SizeOptions, full, made, options_like, settled, sizes_of, zeros
from minitorch.ops.choice import where
from minitorch.ops.dims import whole
from minitorch.ops.inplace import copied
from minitorch.ops.joining import broadcast_tensors
from minitorch.random import Generator, stream

if TYPE_CHECKING:
    from typing_extensions import Unpack  # type checkers know it without its being installed


# ---- new tensors ---------------------------------------------------------------------------------------------------------


def _drawn(name: str, size: tuple[Any, ...], generator: Generator | None, options: Options) -> Tensor:
    """Random numbers, drawn in float64 if NumPy cannot draw in the requested dtype."""
    dtype, shape = settled(name, options)[0], sizes_of(name, size)
    if dtype.kind != "f":
        raise TypeError(f"{name}: expected a floating dtype, got {dtype}")
    numpy = stream(generator)
    draw = numpy.random if name == "rand" else numpy.standard_normal
    numbers = draw(shape, dtype if dtype in (backend.float32, backend.float64) else backend.float64)
    if name == "rand" and dtype == backend.float16:  # in which numbers above 0.99976 would be rounded to 1
        numbers = np.minimum(numbers, 1 - 2.0**-11)
    return made(name, numbers, options)


def rand(*sizes: int | Sequence[int], generator: Generator | None = None, **options: Unpack[SizeOptions]) -> Tensor:
    """Uniform random numbers in [0, 1), drawn on the host."""
    return _drawn("rand", sizes, generator, options)


def randn(*sizes: int | Sequence[int], generator: Generator | None = None, **options: Unpack[SizeOptions]) -> Tensor:
    """Standard normal random numbers, drawn on the host."""
    return _drawn("randn", sizes, generator, options)


def randint(
    low: int = 0,
    high: int | Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Random whole numbers from `low` (default 0) to `high` - 1, int64: `randint(10, (3,))` or `randint(5, 10, (3,))`."""
    top: Any = high  # a shape, if it is the second of two
    if size is None:
        low, top, size = 0, low, top
    elif high is None:
        low, top = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected a shape, got {size!r}")
    low, top = _drawable("randint", low, top, np.dtype(options.get("dtype") or backend.int64))
    numbers = stream(generator).integers(low, top, sizes_of("randint", (size,)))
    return made("randint", numbers, options, backend.int64)


def _drawable(name: str, low: Any, high: Any, dtype: np.dtype) -> tuple[int, int]:
    """Whole numbers that bound draws; raises ValueError unless low < high, and unless `dtype` can hold all between them."""
    backend.check_dtype(name, dtype)
    low, high = whole(name, "low", low), whole(name, "high", high)
    if low >= high:
        raise ValueError(f"{name}: expected low < high, got {low} and {high}")
    lowest = int(np.iinfo(dtype).min) if dtype.kind in "iu" else 0 if dtype.kind == "b" else -_largest_whole(dtype)
    if not lowest <= low < high <= _largest_whole(dtype) + 1:
        raise ValueError(f"{name}: {dtype} cannot hold all numbers from {low} to {high - 1}")
    return low, high


def _largest_whole(dtype: np.dtype) -> int:
    """The largest whole number of a dtype; of a floating one, the last before some are rounded."""
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).max)
    return 1 if dtype.kind == "b" else 2 ** (np.finfo(dtype).nmant + 1)


def randperm(n: int, *, generator: Generator | None = None, **options: Unpack[Options]) -> Tensor:
    """The numbers 0 to n - 1 in random order, int64."""
    count = sizes_of("randperm", (n,))[0]
    _drawable("randperm", 0, max(count, 1), np.dtype(options.get("dtype") or backend.int64))
    return made("randperm", stream(generator).permutation(count), options, backend.int64)


def rand_like(input: Tensor, *, generator: Generator | None = None, **options: Unpack[LikeOptions]) -> Tensor:
    """Uniform random numbers in [0, 1), with the shape of `input` and, by default, its dtype and device."""
    return rand(input.shape, generator=generator, **options_like(input, options))


def randn_like(input: Tensor, *, generator: Generator | None = None, **options: Unpack[LikeOptions]) -> Tensor:
    """Standard normal random numbers, with the shape of `input` and, by default, its dtype and device."""
    return randn(input.shape, generator=generator, **options_like(input, options))


def randint_like(
    input: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None, **options: Unpack[LikeOptions]
) -> Tensor:
    """Random whole numbers from `low` (default 0) to `high` - 1, with the shape of `input` and, by default, its dtype."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, generator=generator, **options_like(input, options))


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability given by each element, else 0; raises ValueError for probabilities outside [0, 1]."""
    if input.numel() and not 0 <= float(input.array.min()) <= float(input.array.max()) <= 1:
        raise ValueError(f"bernoulli: expected probabilities from 0 to 1 in a tensor of shape {tuple(input.shape)}")
    half = input.dtype == backend.float16  # uniform numbers rounded to it are below p too rarely
    dtype = backend.float32 if half else input.dtype
    uniform = rand(input.shape, generator=generator, dtype=dtype, device=input.device)
    return wrap((uniform.array < input.array).astype(input.dtype))


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Draw `num_samples` categories for each row of weights in `input`: int64, (num_samples) or (rows, num_samples).

    Without `replacement` no category is drawn twice. Raises ValueError for weights that are negative, infinite, nan or all 0,
    and for more samples than categories with a weight above 0; TypeError for integer weights.
    """
    if input.dtype.kind != "f":
        raise TypeError(f"multinomial: expected floating-point weights, got {input.dtype}")
    weights = backend.to_array(input.array, backend.float64, backend.CPU)
    if weights.ndim not in (1, 2) or num_samples < 1:
        given = f"{tuple(input.shape)} and {num_samples}"
        raise ValueError(f"multinomial: expected 1 or 2 dimensions and a sample or more, got {given}")
    if not (np.isfinite(weights) & (weights >= 0)).all() or not (weights.sum(-1) > 0).all():
        raise ValueError(f"multinomial: expected finite weights of 0 or more, not all 0 in a row, in {tuple(input.shape)}")
    bits = stream(generator)
    rows = weights.reshape(-1, weights.shape[-1])
    if replacement:
        heights = rows.cumsum(1)
        drawn = bits.random((len(rows), num_samples)) * heights[:, -1:]
        found = np.array([np.searchsorted(row, at, side="right") for row, at in zip(heights, drawn)]).reshape(drawn.shape)
        last = (rows > 0).shape[1] - 1 - (rows > 0)[:, ::-1].argmax(1)  # rounding must not lead past the last weight
        found = np.minimum(found, last[:, None])
    else:
        if (np.count_nonzero(rows, 1) < num_samples).any():
            rows_of = f"rows of shape {tuple(input.shape)} with fewer weights above 0"
            raise ValueError(f"multinomial: {num_samples} different categories cannot be drawn from {rows_of}")
        # the smallest of exponential times whose rates are the weights (Efraimidis and Spirakis, 2006)
        with np.errstate(divide="ignore"):
            arrivals = bits.standard_exponential(rows.shape) / rows
        found = arrivals.argsort(1)[:, :num_samples]
    found = found.reshape(*weights.shape[:-1], num_samples)
    return wrap(backend.to_array(found, backend.int64, input.device))


def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Normal numbers: `normal(0.0, 1.0, (2, 3))`, or one for each element of `mean` and `std`, whose gradients are 0."""
    recorded = [value for value in (mean, std) if isinstance(value, Tensor) and value.requires_grad]
    mean, std = (value.detach() if isinstance(value, Tensor) else value for value in (mean, std))
    tensors = [value for value in (mean, std) if isinstance(value, Tensor)]
    lowest = (std.array.min() if std.numel() else 0) if isinstance(std, Tensor) else std
    if not lowest >= 0:
        raise ValueError(f"normal: expected a standard deviation of 0 or more, got {float(lowest)}")
    requires_grad = options.pop("requires_grad", False)
    if tensors and (size is not None or options):
        given = ", ".join(["size"] * (size is not None) + [*options])
        raise TypeError(f"normal: {given} goes with numbers as mean and std, not with tensors")
    if tensors:
        like = broadcast_tensors(*tensors)[0]
        size, options = like.shape, options_like(like, {})
    if size is None:
        raise ValueError("normal: expected a size, or a tensor as mean or std")
    out = randn(size, generator=generator, **options) * std + mean
    for value in recorded:  # a draw is a constant: it takes nothing from them
        out = where(zeros(out.shape, dtype=backend.bool_, device=out.device), value, out)
    return out.requires_grad_() if requires_grad else out


# ---- in place ------------------------------------------------------------------------------------------------------------


def expect_floats(name: str, tensor: Tensor) -> None:
    """Raise TypeError unless `tensor` is floating: in any other, draws of fractions would be cut off."""
    if not tensor.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point tensor, got {tensor.dtype} of shape {tuple(tensor.shape)}")


def bernoulli_(tensor: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Set every element to 1 with probability `p`, else to 0, in place."""
    if isinstance(p, Tensor):
        chances = p.detach().cpu().double().expand(tensor.shape)
    else:
        chances = full(tensor.shape, p, dtype=backend.float64, device="cpu")
    return copied(tensor, bernoulli(chances, generator=generator), "bernoulli_")


def random_(
    tensor: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None, **kwargs: Any
) -> Tensor:
    """Fill with whole numbers in place: `random_(to)` from 0 to `to` - 1, `random_(from, to)` from `from`.

    Without `to` they reach the dtype's largest; of a floating one, the last before some are rounded.
    """
    low = kwargs.pop("from", None)
    if kwargs:
        raise TypeError(f"random_: unknown keyword {', '.join(kwargs)}")
    if low is None:
        low, to = (None, from_) if to is None else (from_, to)
    if to is None:
        to = _largest_whole(tensor.dtype) + 1
    low, to = _drawable("random_", low or 0, to, tensor.dtype)
    return copied(tensor, wrap(np.asarray(stream(generator).integers(low, to, tensor.shape))), "random_")


def exponential_(tensor: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers from the exponential distribution with rate `lambd`, in place."""
    expect_floats("exponential_", tensor)
    if not lambd > 0:
        raise ValueError(f"exponential_: expected a rate above 0, got {lambd}")
    drawn = stream(generator).standard_exponential(tensor.shape) / lambd
    return copied(tensor, wrap(np.asarray(drawn)), "exponential_")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers uniform in [a, b), in place; ValueError unless a <= b, and the dtype holds both and b - a."""
    expect_floats("uniform_", tensor)
    top = float(np.finfo(tensor.dtype).max)
    if not -top <= a <= b <= top or b - a > top:
        raise ValueError(f"uniform_: expected finite bounds in order, not farther apart than {top:g}, got {a} and {b}")
    drawn = rand(tensor.shape, generator=generator, dtype=tensor.dtype, device="cpu") * (b - a) + a
    return copied(tensor, where(drawn >= b, a, drawn), "uniform_")  # without what was rounded up to b


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers from the normal distribution, in place; raises ValueError for a negative `std`."""
    expect_floats("normal_", tensor)
    if not std >= 0:
        raise ValueError(f"normal_: expected a standard deviation of 0 or more, got {std}")
    drawn = randn(tensor.shape, generator=generator, dtype=tensor.dtype, device="cpu")
    return copied(tensor, drawn * std + mean, "normal_")
