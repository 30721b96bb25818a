"""One row or more for every module of `layers`: how it is made, from our namespace or PyTorch's, and what it is fed.

The rows serve the tests of dtypes and devices, which need no PyTorch, and the comparison with PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """`make(nn, tensor)` builds the module, `tensor` making floats of lists; `inputs(rng)` draws what it is called on."""

    name: str
    make: Callable[[Any, Callable], Any]
    inputs: Callable[[np.random.Generator], tuple[np.ndarray, ...]]

    @property
    def kind(self) -> str:
        """The module's class."""
        return self.name.split(maxsplit=1)[0]


def normal(*shape: int) -> Callable:
    """One input of standard normal numbers."""
    return lambda rng: (rng.standard_normal(shape),)


def several(count: int, *shape: int) -> Callable:
    """`count` inputs of standard normal numbers."""
    return lambda rng: tuple(rng.standard_normal(shape) for _ in range(count))


def labelled(*shape: int) -> Callable:
    """Logits (n, classes, ...) and a class for each position."""
    return lambda rng: (rng.standard_normal(shape), rng.integers(0, shape[1], shape[:1] + shape[2:]))


def chances(*shape: int) -> Callable:
    """Probabilities, and targets between 0 and 1."""
    return lambda rng: (rng.uniform(0.05, 0.95, shape), rng.uniform(0, 1, shape))


def targets(*shape: int) -> Callable:
    """Logits, and targets between 0 and 1."""
    return lambda rng: (rng.standard_normal(shape), rng.uniform(0, 1, shape))


def distributions(n: int, classes: int) -> Callable:
    """Logits, and a distribution over the classes for each row."""
    return lambda rng: (rng.standard_normal((n, classes)), rng.dirichlet(np.ones(classes), n))


def numbers(high: int, *shape: int) -> Callable:
    """Whole numbers below `high`."""
    return lambda rng: (rng.integers(0, high, shape),)


def pairs(n: int, features: int) -> Callable:
    """Two sets of rows, and 1 or 0 for same or different."""
    return lambda rng: (*several(2, n, features)(rng), np.arange(n) % 2)


def signs(*shape: int) -> Callable:
    """1 or -1."""
    return lambda rng: rng.choice([1, -1], shape)


IMAGES, SEQUENCES = normal(4, 6, 7, 9), normal(4, 6, 9)

# fmt: off
CASES = [
    Case("Linear", lambda nn, t: nn.Linear(5, 3), normal(4, 5)),
    Case("Linear bias=False", lambda nn, t: nn.Linear(5, 3, bias=False), normal(4, 5)),
    Case("Linear on a stack", lambda nn, t: nn.Linear(5, 3), normal(2, 3, 5)),
    Case("Identity", lambda nn, t: nn.Identity(54, unused=0.1), normal(4, 5)),
    Case("Flatten", lambda nn, t: nn.Flatten(), IMAGES),
    Case("Flatten two", lambda nn, t: nn.Flatten(2, 3), IMAGES),
    Case("Unflatten", lambda nn, t: nn.Unflatten(1, (2, 3)), normal(4, 6, 2)),
    Case("Conv2d", lambda nn, t: nn.Conv2d(6, 4, 3), IMAGES),
    Case("Conv2d strided", lambda nn, t: nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), IMAGES),
    Case("Conv2d same", lambda nn, t: nn.Conv2d(6, 4, 3, padding="same", bias=False), IMAGES),
    Case("Conv2d valid", lambda nn, t: nn.Conv2d(6, 4, 3, padding="valid"), IMAGES),
    Case("Conv2d grouped", lambda nn, t: nn.Conv2d(6, 4, 3, groups=2), IMAGES),
    Case("ConvTranspose2d", lambda nn, t: nn.ConvTranspose2d(6, 4, 3), IMAGES),
    Case("ConvTranspose2d strided", lambda nn, t: nn.ConvTranspose2d(6, 4, (3, 2), (2, 3), 1, (1, 2), 2, False, (2, 1)),
         IMAGES),
    Case("Conv2d reflected", lambda nn, t: nn.Conv2d(6, 4, 3, padding=(1, 2), padding_mode="reflect"), IMAGES),
    Case("Conv2d around", lambda nn, t: nn.Conv2d(6, 4, (2, 3), padding="same", padding_mode="circular"), IMAGES),
    Case("Conv1d", lambda nn, t: nn.Conv1d(6, 4, 3), SEQUENCES),
    Case("Conv1d strided", lambda nn, t: nn.Conv1d(6, 4, 3, 2, 1, 2, 2, False, "replicate"), SEQUENCES),
    Case("Conv1d same", lambda nn, t: nn.Conv1d(6, 4, 3, padding="same"), SEQUENCES),
    Case("ConvTranspose1d", lambda nn, t: nn.ConvTranspose1d(6, 4, 3), SEQUENCES),
    Case("ConvTranspose1d strided", lambda nn, t: nn.ConvTranspose1d(6, 4, 3, 2, 1, 1, 2, False, 2), SEQUENCES),
    Case("MaxPool1d", lambda nn, t: nn.MaxPool1d(2), SEQUENCES),
    Case("MaxPool1d with places", lambda nn, t: nn.MaxPool1d(3, 2, 1, return_indices=True), SEQUENCES),
    Case("AvgPool1d", lambda nn, t: nn.AvgPool1d(2), SEQUENCES),
    Case("AvgPool1d overlapping", lambda nn, t: nn.AvgPool1d(3, 2, 1, True, False), SEQUENCES),
    Case("AdaptiveAvgPool1d", lambda nn, t: nn.AdaptiveAvgPool1d(4), SEQUENCES),
    Case("MaxPool2d", lambda nn, t: nn.MaxPool2d(2), IMAGES),
    Case("MaxPool2d overlapping", lambda nn, t: nn.MaxPool2d((3, 2), (2, 1), 1, 1, ceil_mode=True), IMAGES),
    Case("AvgPool2d", lambda nn, t: nn.AvgPool2d(2), IMAGES),
    Case("AvgPool2d overlapping", lambda nn, t: nn.AvgPool2d(3, 2, 1, True, False), IMAGES),
    Case("AvgPool2d divisor", lambda nn, t: nn.AvgPool2d((2, 3), divisor_override=5), IMAGES),
    Case("AdaptiveAvgPool2d", lambda nn, t: nn.AdaptiveAvgPool2d(1), IMAGES),
    Case("AdaptiveAvgPool2d uneven", lambda nn, t: nn.AdaptiveAvgPool2d((3, None)), IMAGES),
    Case("AdaptiveMaxPool2d", lambda nn, t: nn.AdaptiveMaxPool2d(1), IMAGES),
    Case("AdaptiveMaxPool2d with places", lambda nn, t: nn.AdaptiveMaxPool2d((3, None), return_indices=True), IMAGES),
    Case("BatchNorm1d", lambda nn, t: nn.BatchNorm1d(5), normal(6, 5)),
    Case("BatchNorm1d on sequences", lambda nn, t: nn.BatchNorm1d(5, eps=1e-3, momentum=0.3), normal(6, 5, 4)),
    Case("BatchNorm1d cumulative", lambda nn, t: nn.BatchNorm1d(5, momentum=None), normal(6, 5)),
    Case("BatchNorm2d", lambda nn, t: nn.BatchNorm2d(6), IMAGES),
    Case("BatchNorm2d affine=False", lambda nn, t: nn.BatchNorm2d(6, affine=False), IMAGES),
    Case("BatchNorm2d bias=False", lambda nn, t: nn.BatchNorm2d(6, bias=False), IMAGES),
    Case("BatchNorm2d untracked", lambda nn, t: nn.BatchNorm2d(6, track_running_stats=False), IMAGES),
    Case("InstanceNorm1d", lambda nn, t: nn.InstanceNorm1d(6), SEQUENCES),
    Case("InstanceNorm1d alone", lambda nn, t: nn.InstanceNorm1d(6, affine=True), normal(6, 5)),
    Case("InstanceNorm2d", lambda nn, t: nn.InstanceNorm2d(6, affine=True, track_running_stats=True), IMAGES),
    Case("RMSNorm", lambda nn, t: nn.RMSNorm(5), normal(4, 5)),
    Case("RMSNorm plain", lambda nn, t: nn.RMSNorm([7, 9], 1e-3, elementwise_affine=False), IMAGES),
    Case("LayerNorm", lambda nn, t: nn.LayerNorm(5), normal(4, 5)),
    Case("LayerNorm on images", lambda nn, t: nn.LayerNorm((7, 9), eps=1e-3), IMAGES),
    Case("LayerNorm bias=False", lambda nn, t: nn.LayerNorm(5, bias=False), normal(4, 5)),
    Case("LayerNorm plain", lambda nn, t: nn.LayerNorm(5, elementwise_affine=False), normal(4, 5)),
    Case("GroupNorm", lambda nn, t: nn.GroupNorm(3, 6), IMAGES),
    Case("GroupNorm plain", lambda nn, t: nn.GroupNorm(2, 6, affine=False), IMAGES),
    Case("Dropout never", lambda nn, t: nn.Dropout(0.0), normal(4, 5)),
    Case("Dropout always", lambda nn, t: nn.Dropout(1.0), normal(4, 5)),
    Case("Dropout2d never", lambda nn, t: nn.Dropout2d(0.0), IMAGES),
    Case("Embedding", lambda nn, t: nn.Embedding(7, 3), numbers(7, 4, 2)),
    Case("Embedding padded", lambda nn, t: nn.Embedding(7, 3, padding_idx=-2), numbers(7, 9)),
    Case("RNN", lambda nn, t: nn.RNN(4, 3), normal(5, 2, 4)),
    Case("RNN relu", lambda nn, t: nn.RNN(4, 3, 2, "relu", batch_first=True, bidirectional=True), normal(2, 5, 4)),
    Case("LSTM", lambda nn, t: nn.LSTM(4, 3), normal(5, 2, 4)),
    Case("LSTM deep", lambda nn, t: nn.LSTM(4, 3, num_layers=2, batch_first=True, bidirectional=True), normal(2, 5, 4)),
    Case("LSTM projected", lambda nn, t: nn.LSTM(4, 3, 2, bias=False, proj_size=2, bidirectional=True), normal(5, 2, 4)),
    Case("LSTM alone", lambda nn, t: nn.LSTM(4, 3, bias=False, batch_first=True), normal(5, 4)),
    Case("GRU", lambda nn, t: nn.GRU(4, 3), lambda rng: (*normal(5, 2, 4)(rng), *normal(1, 2, 3)(rng))),
    Case("GRU deep", lambda nn, t: nn.GRU(4, 3, num_layers=2, bias=False, bidirectional=True), normal(5, 2, 4)),
    Case("RNNCell", lambda nn, t: nn.RNNCell(4, 3, nonlinearity="relu"), normal(2, 4)),
    Case("RNNCell tanh", lambda nn, t: nn.RNNCell(4, 3, bias=False), lambda rng: (*normal(2, 4)(rng), *normal(2, 3)(rng))),
    Case("LSTMCell", lambda nn, t: nn.LSTMCell(4, 3), normal(2, 4)),
    Case("GRUCell", lambda nn, t: nn.GRUCell(4, 3), lambda rng: (*normal(2, 4)(rng), *normal(2, 3)(rng))),
    Case("ZeroPad2d", lambda nn, t: nn.ZeroPad2d(2), IMAGES),
    Case("ZeroPad2d cropping", lambda nn, t: nn.ZeroPad2d((1, -2, 0, 3)), IMAGES),
    Case("ConstantPad2d", lambda nn, t: nn.ConstantPad2d((1, 2, 3, 4), 0.5), IMAGES),
    Case("ConstantPad1d", lambda nn, t: nn.ConstantPad1d(2, 0.5), SEQUENCES),
    *(
        Case(f"{kind}{dims}d", lambda nn, t, name=f"{kind}{dims}d": getattr(nn, name)(1), normal(2, 2, *(3, 4, 2)[:dims]))
        for kind, dims in (("ZeroPad", 1), ("ReflectionPad", 1), ("ReflectionPad", 2), ("ReplicationPad", 1), ("ReplicationPad", 2), ("CircularPad", 2))
    ),
    Case("ReflectionPad2d uneven", lambda nn, t: nn.ReflectionPad2d((1, 2, 0, 3)), IMAGES),
    Case("PixelShuffle", lambda nn, t: nn.PixelShuffle(2), normal(2, 8, 2, 3)),
    Case("Unfold", lambda nn, t: nn.Unfold((2, 3), padding=1, stride=2), IMAGES),
    Case("Fold", lambda nn, t: nn.Fold((4, 5), 2), normal(2, 12, 12)),
    Case("Upsample bilinear", lambda nn, t: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGES),
    Case("Upsample cubic", lambda nn, t: nn.Upsample((9, 5), mode="bicubic"), IMAGES),
    Case("Upsample", lambda nn, t: nn.Upsample(scale_factor=2), IMAGES),
    Case("Upsample bilinear", lambda nn, t: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGES),
    Case("Upsample to a size", lambda nn, t: nn.Upsample((9, 5)), IMAGES),
    Case("MultiheadAttention", lambda nn, t: nn.MultiheadAttention(4, 2), several(3, 5, 2, 4)),
    Case("MultiheadAttention batch first", lambda nn, t: nn.MultiheadAttention(4, 2, bias=False, batch_first=True), several(3, 2, 5, 4)),
    Case("MultiheadAttention of other widths", lambda nn, t: nn.MultiheadAttention(4, 2, 0.0, True, True, True, 3, 5),
         lambda rng: tuple(rng.standard_normal((5, 2, width)) for width in (4, 3, 5))),
    Case("TransformerEncoderLayer", lambda nn, t: nn.TransformerEncoderLayer(16, 2, 8, 0.0), normal(5, 2, 16)),
    Case("TransformerEncoderLayer norm first", lambda nn, t: nn.TransformerEncoderLayer(16, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True),
         normal(2, 5, 16)),
    Case("TransformerDecoderLayer", lambda nn, t: nn.TransformerDecoderLayer(16, 2, 8, 0.0), several(2, 5, 2, 16)),
    Case("TransformerEncoder", lambda nn, t: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 8, 0.0), 1, nn.LayerNorm(16), False),
         normal(5, 2, 16)),
    Case("TransformerDecoder", lambda nn, t: nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 2, 8, 0.0), 1), several(2, 5, 2, 16)),
    Case("Transformer", lambda nn, t: nn.Transformer(16, 2, 1, 1, 8, 0.0), several(2, 5, 2, 16)),
    Case("PairwiseDistance", lambda nn, t: nn.PairwiseDistance(), several(2, 4, 5)),
    Case("PairwiseDistance p=1", lambda nn, t: nn.PairwiseDistance(1.0, keepdim=True), several(2, 4, 5)),
    Case("CosineSimilarity", lambda nn, t: nn.CosineSimilarity(), several(2, 4, 5)),
    Case("CosineSimilarity dim=2", lambda nn, t: nn.CosineSimilarity(dim=2), several(2, 4, 5, 3)),
    *(
        Case(name, lambda nn, t, name=name: getattr(nn, name)(), normal(4, 5))
        for name in ("CELU", "ELU", "GELU", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
                     "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softsign", "Tanh")
    ),
    Case("ReLU inplace", lambda nn, t: nn.ReLU(inplace=True), normal(4, 5)),
    Case("LeakyReLU 0.2", lambda nn, t: nn.LeakyReLU(0.2), normal(4, 5)),
    Case("ELU alpha=0.5", lambda nn, t: nn.ELU(0.5), normal(4, 5)),
    Case("GELU tanh", lambda nn, t: nn.GELU("tanh"), normal(4, 5)),
    Case("Softplus steep", lambda nn, t: nn.Softplus(2.0, 1.0), normal(4, 5)),
    Case("CELU alpha=2", lambda nn, t: nn.CELU(2.0, inplace=True), normal(4, 5)),
    Case("GLU", lambda nn, t: nn.GLU(1), IMAGES),
    Case("Hardtanh wide", lambda nn, t: nn.Hardtanh(-0.5, 2.0, inplace=True), normal(4, 5)),
    Case("PReLU per channel", lambda nn, t: nn.PReLU(6, 0.1), IMAGES),
    Case("Softmin", lambda nn, t: nn.Softmin(dim=1), normal(4, 5)),
    Case("Threshold", lambda nn, t: nn.Threshold(0.3, -1.0, True), normal(4, 5)),
    Case("Softmax", lambda nn, t: nn.Softmax(dim=1), IMAGES),
    Case("LogSoftmax", lambda nn, t: nn.LogSoftmax(dim=-1), normal(4, 5)),
    Case("CrossEntropyLoss", lambda nn, t: nn.CrossEntropyLoss(), labelled(6, 4)),
    Case("CrossEntropyLoss on images", lambda nn, t: nn.CrossEntropyLoss(reduction="none"), labelled(3, 4, 2, 5)),
    Case("CrossEntropyLoss weighted", lambda nn, t: nn.CrossEntropyLoss(t([1.0, 2.0, 0.5, 3.0]), label_smoothing=0.1),
         labelled(6, 4)),
    Case("CrossEntropyLoss ignoring", lambda nn, t: nn.CrossEntropyLoss(ignore_index=2, reduction="sum"), labelled(9, 4)),
    Case("CrossEntropyLoss of distributions", lambda nn, t: nn.CrossEntropyLoss(), distributions(6, 4)),
    Case("NLLLoss", lambda nn, t: nn.NLLLoss(), labelled(6, 4)),
    Case("NLLLoss weighted", lambda nn, t: nn.NLLLoss(t([1.0, 2.0, 0.5, 3.0]), ignore_index=1), labelled(9, 4)),
    Case("BCELoss", lambda nn, t: nn.BCELoss(), chances(4, 3)),
    Case("BCELoss weighted", lambda nn, t: nn.BCELoss(t([1.0, 2.0, 0.5]), reduction="sum"), chances(4, 3)),
    Case("BCEWithLogitsLoss", lambda nn, t: nn.BCEWithLogitsLoss(), targets(4, 3)),
    Case("BCEWithLogitsLoss weighted", lambda nn, t: nn.BCEWithLogitsLoss(t([1.0, 2.0, 0.5]), pos_weight=t([3.0, 1.0, 2.0])),
         targets(4, 3)),
    Case("MSELoss", lambda nn, t: nn.MSELoss(), several(2, 4, 3)),
    Case("L1Loss", lambda nn, t: nn.L1Loss(reduction="none"), several(2, 4, 3)),
    Case("SmoothL1Loss", lambda nn, t: nn.SmoothL1Loss(beta=0.7), several(2, 4, 3)),
    Case("HuberLoss", lambda nn, t: nn.HuberLoss(delta=0.7), several(2, 4, 3)),
    Case("MSELoss summed as it was", lambda nn, t: nn.MSELoss(size_average=False), several(2, 4, 3)),
    Case("MSELoss not reduced as it was", lambda nn, t: nn.MSELoss(None, False), several(2, 4, 3)),
    Case("KLDivLoss", lambda nn, t: nn.KLDivLoss(reduction="batchmean"), chances(4, 3)),
    Case("KLDivLoss of logs", lambda nn, t: nn.KLDivLoss(reduction="sum", log_target=True), several(2, 4, 3)),
    Case("MarginRankingLoss", lambda nn, t: nn.MarginRankingLoss(0.5), lambda rng: (*several(2, 4)(rng), signs(4)(rng))),
    Case("CosineEmbeddingLoss", lambda nn, t: nn.CosineEmbeddingLoss(0.1), lambda rng: (*several(2, 4, 3)(rng), signs(4)(rng))),
    Case("TripletMarginLoss", lambda nn, t: nn.TripletMarginLoss(), several(3, 4, 5)),
    Case("TripletMarginLoss swapped", lambda nn, t: nn.TripletMarginLoss(2.0, 1.0, swap=True, reduction="sum"),
         several(3, 4, 5)),
]
# fmt: on

NOT_IN_TORCH = [  # or not exact there
    Case("Hardsigmoid", lambda nn, t: nn.Hardsigmoid(), normal(4, 5)),  # PyTorch's gradient has 1/6 in single precision
    Case("ContrastiveLoss", lambda nn, t: nn.ContrastiveLoss(), pairs(6, 4)),
    Case("ContrastiveLoss margin=3", lambda nn, t: nn.ContrastiveLoss(3.0, reduction="none"), pairs(6, 4)),
]


def tensors_of(output: Any) -> list[Any]:
    """The tensors in what a module gave: one, or those of tuples in tuples."""
    return [t for part in output for t in tensors_of(part)] if isinstance(output, tuple) else [] if output is None else [output]
