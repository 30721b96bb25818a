"""Pairs of digits, and whether the first is at most the second: the task of the five reports."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minitorch.data.digits import Digits

_RELATIONS = {"le": np.less_equal, "lt": np.less}


@dataclass(frozen=True, eq=False)
class Pairs:
    """n pairs of digits: inputs ``(n, 2, 14, 14)`` float32, targets ``(n,)`` and classes ``(n, 2)`` int64.

    ``targets`` is 1 where ``classes[:, 0] <= classes[:, 1]`` (or ``<``, see `draw_pairs`), else 0.
    """

    inputs: np.ndarray
    targets: np.ndarray
    classes: np.ndarray


def pair_sets(digits: Digits, n: int = 1000, *, rng: np.random.Generator, relation: str = "le") -> tuple[Pairs, Pairs]:
    """Draw n training pairs from the training digits and n test pairs from the test digits (see `draw_pairs`)."""
    train = draw_pairs(digits.train_images, digits.train_labels, n, rng=rng, relation=relation)
    return train, draw_pairs(digits.test_images, digits.test_labels, n, rng=rng, relation=relation)


def draw_pairs(images: np.ndarray, labels: np.ndarray, n: int, *, rng: np.random.Generator, relation: str = "le") -> Pairs:
    """Draw 2n different digits from ``(m, 14, 14)`` images and ``(m,)`` labels at random, and pair them.

    The target is 1 where the first class is less than or equal to the second (``relation="le"``) or strictly less
    (``"lt"``). If m < 2n, one whole permutation is drawn after another, so no digit is repeated before all have been used,
    and the two digits of a pair still differ. Raises `ValueError` for another relation, n below 1 or wrong shapes.
    """
    if relation not in _RELATIONS:
        raise ValueError(f'draw_pairs: relation is "le" (less or equal) or "lt" (strictly less), got {relation!r}')
    if n < 1:
        raise ValueError(f"draw_pairs: n, the number of pairs, must be at least 1, got {n}")
    if labels.ndim != 1 or images.shape != (*labels.shape, 14, 14) or len(labels) < 2:
        got = f"images {tuple(images.shape)} and labels {tuple(labels.shape)}"
        raise ValueError(f"draw_pairs: expected images (m, 14, 14) and labels (m,) with m at least 2, got {got}")
    order = rng.permutation(len(labels))
    while len(order) < 2 * n:
        again = rng.permutation(len(labels))
        if again[0] != order[-1]:  # so that a pair across two permutations has two different digits, too
            order = np.concatenate([order, again])
    chosen = order[: 2 * n]
    classes = labels[chosen].astype(np.int64).reshape(n, 2)
    return Pairs(
        inputs=images[chosen].astype(np.float32, copy=False).reshape(n, 2, 14, 14),
        targets=_RELATIONS[relation](classes[:, 0], classes[:, 1]).astype(np.int64),
        classes=classes,
    )


def normalise(train: Pairs, *others: Pairs) -> tuple[Pairs, ...]:
    """Return all pair sets shifted and scaled by the mean and the standard deviation of all training pixels, in float32."""
    mean = float(train.inputs.mean(dtype=np.float64))
    std = float(train.inputs.std(dtype=np.float64))
    if not std > 0:
        raise ValueError(f"normalise: all training pixels are {mean:g}; expected different ones")
    return tuple(replace(pairs, inputs=(pairs.inputs - mean) / std) for pairs in (train, *others))
