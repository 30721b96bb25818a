"""Losses and distances as modules; losses raise for shapes that differ and labels out of range, as in `minitorch.functional`.

`reduction` is "mean", "sum" or "none"; `size_average` and `reduce` are PyTorch's older names for it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

from layers.calls import Options
from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.ops.loss import reduction_of


class _Loss(Options, shown=()):
    """Base class of the losses: `reduction` is checked, and a weight is a buffer."""

    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def _prepare(self, given: Any) -> None:
        old = [self.__dict__.pop(name, None) for name in ("size_average", "reduce")]
        if old != [None, None]:
            self.reduction = reduction_of(*old)
        if self.reduction not in self.reductions:
            *others, last = map(repr, self.reductions)
            expected = f"{', '.join(others)} or {last}"
            raise ValueError(f"{type(self).__name__}: expected reduction {expected}, got {self.reduction!r}")
        for name in (name for name in ("weight", "pos_weight") if name in self.options):
            weight = getattr(self, name)
            delattr(self, name)
            self.register_buffer(name, weight)


class _OfTwo(_Loss):
    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return self._call(input, target)


class _OfThree(_Loss):
    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return self._call(input1, input2, target)


class _Plain(_OfTwo):
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class _Weighted(_OfTwo):
    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class _WithMargin(_OfThree):
    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class _OfClasses(_OfTwo):
    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"


class NLLLoss(_OfClasses, calls=functional.nll_loss):
    """Minus the log-probability of the target class; shapes, `weight` and `ignore_index` as in `CrossEntropyLoss`."""


class CrossEntropyLoss(_OfClasses, calls=functional.cross_entropy):
    """Cross-entropy of logits (N, C) or (N, C, ...) and classes (N) or (N, ...), or probabilities of the logits' shape.

    `weight` (C), a buffer, weights the classes; targets equal to `ignore_index` are not counted; with `label_smoothing` e the
    target is (1 - e) target + e / C. Raises as `functional.cross_entropy`.
    """

    label_smoothing: float = 0.0


class BCELoss(_Weighted, calls=functional.binary_cross_entropy):
    """Binary cross-entropy of probabilities and targets from 0 to 1 of one shape; `weight`, a buffer, scales each loss."""


class BCEWithLogitsLoss(_Weighted, calls=functional.binary_cross_entropy_with_logits):
    """Binary cross-entropy of sigmoid(input), finite for any finite input; `pos_weight`, a buffer, weights target 1."""

    pos_weight: Tensor | None = None


class MSELoss(_Plain, calls=functional.mse_loss):
    """(input - target)^2, for two tensors of one shape."""


class L1Loss(_Plain, calls=functional.l1_loss):
    """|input - target|, for two tensors of one shape."""


class SmoothL1Loss(_Plain, calls=functional.smooth_l1_loss):
    """d^2 / (2 beta) where d = |input - target| is below `beta`, else d - beta / 2 (Girshick 2015)."""

    beta: float = 1.0


class KLDivLoss(_Plain, calls=functional.kl_div, reductions=("mean", "batchmean", "sum", "none")):
    """t (log t - x) for log-probabilities x; `reduction="batchmean"` gives the mathematical divergence (see `kl_div`)."""

    log_target: bool = False


class HuberLoss(_OfTwo, calls=functional.huber_loss):
    """d^2 / 2 where d = |input - target| is below `delta`, else delta (d - delta / 2) (Huber 1964)."""

    reduction: str = "mean"
    delta: float = 1.0


class TripletMarginLoss(_Loss, calls=functional.triplet_margin_loss):
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0) with d = `PairwiseDistance(p, eps)`.

    With `swap`, d(positive, negative) is used where it is smaller than d(anchor, negative) (Balntas et al. 2016).
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return self._call(anchor, positive, negative)


class ContrastiveLoss(_OfThree, calls=functional.contrastive_loss):
    """(t d^2 + (1 - t) max(margin - d, 0)^2) / 2 for pairs of rows at distance d; t is 1 for the same kind, else 0.

    Hadsell, Chopra & LeCun 2006, equation 4, whose Y is 1 - t. Not in PyTorch.
    """

    margin: float = 1.0
    _: KW_ONLY
    reduction: str = "mean"


class MarginRankingLoss(_WithMargin, calls=functional.margin_ranking_loss):
    """max(0, -t (x1 - x2) + margin), where t is 1 if x1 should be larger and -1 if x2 should."""


class CosineEmbeddingLoss(_WithMargin, calls=functional.cosine_embedding_loss):
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1."""


class _OfRows(Options, shown=()):
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return self._call(x1, x2)


class PairwiseDistance(_OfRows, calls=functional.pairwise_distance):
    """The p-norm of x1 - x2 + eps over the last dimension, for two tensors of one shape."""

    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False


class CosineSimilarity(_OfRows, calls=functional.cosine_similarity):
    """x1 . x2 / (|x1| |x2|) over `dim`, each norm at least `eps`, for two tensors of one shape."""

    dim: int = 1
    eps: float = 1e-8
