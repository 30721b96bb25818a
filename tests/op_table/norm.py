"""Normalisation."""

from __future__ import annotations

import numpy as np

import minitorch.functional as F
from tests.op_table.row import Fixed, Row, bad, case, spread

BATCH, IMAGES = spread(4, 2), spread(2, 2, 2, 2)
MEAN, VARIANCE, WEIGHT, BIAS = spread(2, seed=3), spread(2, low=0.5, high=2.0, seed=4), spread(2, seed=5), spread(2, seed=6)


def normalized(x, dims, eps):
    return (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)


def scaled(y, weight, bias, shape):
    return y * (1 if weight is None else weight.reshape(shape)) + (0 if bias is None else bias.reshape(shape))


def batch_norm(x, mean, variance, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    if training:
        y = normalized(x, (0, *range(2, x.ndim)), eps)
    else:
        y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + eps)
    return scaled(y, weight, bias, shape)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    shape = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
    return scaled(normalized(x, tuple(range(-len(shape), 0)), eps), weight, bias, shape)


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    y = normalized(x.reshape(*x.shape[:1], num_groups, x[0].size // num_groups if len(x) else 0), 2, eps) if x.size else x
    return scaled(y.reshape(x.shape), weight, bias, (1, -1) + (1,) * (x.ndim - 2))


def in_torch(name):
    """With a weight of ones where there is a bias alone, for which PyTorch's second derivatives fail."""

    def call(torch, x, *given, **parameters):
        *first, weight, bias = (*given, *[None] * (4 if name == "batch_norm" else 3))[: 4 if name == "batch_norm" else 3]
        first = [(n,) if name == "layer_norm" and isinstance(n, int) else n for n in first]
        weight = torch.ones_like(bias) if weight is None and bias is not None else weight
        return getattr(torch.nn.functional, name)(x, *first, weight, bias, **parameters)

    return call


def instance_norm(x, mean=None, var=None, weight=None, bias=None, eps=1e-5):
    dims, shape = tuple(range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    y = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps) if x.size else x
    return y * (1 if weight is None else weight.reshape(shape)) + (0 if bias is None else bias.reshape(shape))


def rms_norm(x, shape, weight=None, eps=1e-5):
    dims = tuple(range(x.ndim - (1 if isinstance(shape, int) else len(shape)), x.ndim))
    return x / np.sqrt((x * x).mean(dims, keepdims=True) + eps) * (1 if weight is None else weight)


def instance_in_torch(torch, x, mean=None, var=None, weight=None, bias=None, eps=1e-5):
    return torch.nn.functional.instance_norm(x, None, None, weight, bias, eps=eps)


def rms_in_torch(torch, x, shape, weight=None, eps=1e-5):
    return torch.nn.functional.rms_norm(x, (shape,) if isinstance(shape, int) else shape, weight, eps)


# fmt: off
ROWS = [
    Row("batch_norm", F.batch_norm, batch_norm, torch=in_torch("batch_norm"), cases=[
        case(BATCH, None, None, WEIGHT, BIAS, training=True), case(BATCH, None, None, training=True),
        case(IMAGES, None, None, WEIGHT, training=True, eps=0.1), case(IMAGES, None, None, None, BIAS, training=True),
        case(spread(2, 2, 3), None, None, WEIGHT, BIAS, training=True),
        *(case(x, Fixed(MEAN), Fixed(VARIANCE), *affine) for x in (BATCH, IMAGES, spread(0, 2))
          for affine in ((), (WEIGHT, BIAS), (WEIGHT,), (None, BIAS)))],
        bad=[bad(ValueError, r"^batch_norm: expected input \(n, channels, ...\), got shape \(2,\)", MEAN, None, None, training=True),
             bad(ValueError, r"^batch_norm: expected more than 1 value per channel in training, got input \(1, 2\)", BATCH[:1], None, None,
                 training=True),
             bad(ValueError, r"^batch_norm: expected running_mean of shape \(2,\) for input \(4, 2\), got \(3,\)", BATCH, spread(3), VARIANCE),
             bad(ValueError, r"^batch_norm: expected running_var of shape", BATCH, MEAN, spread(3)),
             bad(ValueError, r"^batch_norm: expected weight of shape", BATCH, MEAN, VARIANCE, spread(3)),
             bad(ValueError, r"^batch_norm: expected bias of shape", BATCH, MEAN, VARIANCE, WEIGHT, spread(3)),
             bad(ValueError, "^batch_norm: expected running_mean and running_var where training is False", BATCH, None, None),
             bad(ValueError, "^batch_norm: expected running_mean and running_var together", BATCH, MEAN, None, training=True),
             bad(TypeError, "^batch_norm: input is float64, weight float32", BATCH, MEAN, VARIANCE, WEIGHT.astype("f")),
             bad(TypeError, "^batch_norm: expected a floating-point input, got int64", BATCH.astype(int), None, None, training=True)]),
    # unlike PyTorch's, running statistics have a gradient
    Row("batch_norm", F.batch_norm, batch_norm, [case(BATCH, MEAN, VARIANCE, WEIGHT, BIAS), case(IMAGES, MEAN, VARIANCE, eps=0.1)], torch=None),
    Row("layer_norm", F.layer_norm, layer_norm, torch=in_torch("layer_norm"), cases=[
        case(spread(2, 3), 3, spread(3, seed=1), spread(3, seed=2)), case(spread(2, 3), (3,)),
        case(spread(2, 3, 2), (3, 2), spread(3, 2, seed=1), spread(3, 2, seed=2)), case(spread(3, 2, 2), (2,), None, BIAS, eps=0.1),
        case(spread(3), 3, spread(3, seed=1)), case(spread(0, 3), 3, spread(3, seed=1), spread(3, seed=2))],
        bad=[bad(ValueError, r"^layer_norm: expected input \(..., 4\), got shape \(2, 3\)", spread(2, 3), 4),
             bad(ValueError, r"^layer_norm: .*, got shape \(2, 3\)", spread(2, 3), ()),
             bad(ValueError, r"^layer_norm: expected weight of shape \(3,\) for input \(2, 3\), got \(2,\)", spread(2, 3), 3, WEIGHT),
             bad(ValueError, r"^layer_norm: expected bias of shape \(3,\) for input \(2, 3\), got \(2,\)", spread(2, 3), 3, None, BIAS),
             bad(TypeError, "^layer_norm: input is float64, weight float32", spread(4, 2), 2, WEIGHT.astype("f")),
             bad(TypeError, "^layer_norm: expected a floating-point input, got int64", spread(2, 3).astype(int), 3)]),
    Row("group_norm", F.group_norm, group_norm, torch=in_torch("group_norm"), cases=[
        case(spread(2, 4, 2), 2, spread(4, seed=1), spread(4, seed=2)), case(spread(2, 6), 2), case(IMAGES, 1, WEIGHT, None, eps=0.1),
        case(IMAGES, 2, None, BIAS), case(spread(0, 4, 2), 2, spread(4, seed=1), spread(4, seed=2))],
        bad=[bad(ValueError, r"^group_norm: 4 channels do not divide into 3 groups \(input \(2, 4, 2\)\)", spread(2, 4, 2), 3),
             bad(ValueError, r"^group_norm: 4 channels do not divide into 0 groups", spread(2, 4, 2), 0),
             bad(ValueError, r"^group_norm: .*\(input \(4,\)\)", spread(4), 2),
             bad(ValueError, r"^group_norm: expected more than 1 value per group, got input \(1, 4, 1\), 4 groups", spread(1, 4, 1), 4),
             bad(ValueError, r"^group_norm: expected weight of shape \(4,\) for input \(2, 4, 2\), got \(2,\)", spread(2, 4, 2), 2, WEIGHT),
             bad(ValueError, r"^group_norm: expected bias of shape \(4,\) for input \(2, 4, 2\), got \(2,\)", spread(2, 4, 2), 2, None, BIAS),
             bad(TypeError, "^group_norm: input is float64, weight float32", spread(4, 2), 2, WEIGHT.astype("f")),
             bad(TypeError, "^group_norm: expected a floating-point input, got int64", spread(2, 4).astype(int), 2)]),
    Row("instance_norm", F.instance_norm, instance_norm, torch=instance_in_torch, cases=[
        case(spread(2, 2, 3), None, None, WEIGHT, BIAS), case(IMAGES, eps=0.1), case(spread(0, 2, 3)), case(IMAGES, None, None, WEIGHT)],
        bad=[bad(ValueError, r"^instance_norm: expected input \(n, channels, ...\) with more than 1 value per channel, got shape \(4, 2\)", BATCH),
             bad(ValueError, r"^instance_norm: expected weight of shape \(2,\) for input .*, got \(3,\)", IMAGES, None, None, spread(3)),
             bad(ValueError, "^batch_norm: expected running_mean and running_var where training is False", IMAGES, use_input_stats=False),
             bad(TypeError, "^instance_norm: expected a floating-point input, got int64", IMAGES.astype(int))]),
    Row("rms_norm", F.rms_norm, rms_norm, torch=rms_in_torch, cases=[
        case(spread(2, 3), 3, spread(3, seed=1), 1e-5), case(spread(2, 3, 2), (3, 2), spread(3, 2, seed=1), 0.1), case(spread(3), (3,), None, 1e-3),
        case(spread(0, 3), 3, spread(3, seed=1), 1e-5)],
        bad=[bad(ValueError, r"^rms_norm: expected input \(..., 4\), got shape \(2, 3\)", spread(2, 3), 4),
             bad(ValueError, r"^rms_norm: expected weight of shape \(3,\) for input \(2, 3\), got \(2,\)", spread(2, 3), 3, WEIGHT),
             bad(TypeError, "^rms_norm: expected a floating-point input, got int64", spread(2, 3).astype(int), 3)]),
    Row("normalize", F.normalize, lambda x, p=2.0, dim=1, eps=1e-12: x / np.maximum((np.abs(x) ** p).sum(dim, keepdims=True) ** (1 / p), eps),
        [case(spread(2, 3)), case(spread(2, 3), dim=0), case(spread(0, 3))],
        bad=[bad(IndexError, "^norm: dim 2 is out of range", spread(2, 3), dim=2)]),
    Row("normalize", F.normalize, lambda x, p, dim: x / (np.abs(x) ** p).sum(dim, keepdims=True) ** (1 / p), [case(spread(2, 3), p=1.0, dim=-1)], analytic=False),
]
# fmt: on
