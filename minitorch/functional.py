"""Functions on tensors under PyTorch's names: `import minitorch.functional as F`. Each is defined beside its operation."""

# fmt: off
# isort: off
from minitorch.creation import one_hot
from minitorch.ops.activation import (
    elu, gelu, leaky_relu, logsigmoid, relu, relu6, selu, sigmoid, silu, softplus,
)
from minitorch.ops.attention import scaled_dot_product_attention
from minitorch.ops.conv import conv2d, conv_transpose2d, fold, unfold
from minitorch.ops.cross_entropy import cross_entropy, nll_loss
from minitorch.ops.dropout import dropout, dropout2d
from minitorch.ops.elementwise import tanh
from minitorch.ops.grid import affine_grid, grid_sample
from minitorch.ops.index import embedding
from minitorch.ops.linear import linear
from minitorch.ops.loss import (
    binary_cross_entropy, binary_cross_entropy_with_logits, contrastive_loss, cosine_embedding_loss, cosine_similarity,
    huber_loss, kl_div, l1_loss, margin_ranking_loss, mse_loss, pairwise_distance, smooth_l1_loss, triplet_margin_loss,
)
from minitorch.ops.norm import batch_norm, group_norm, instance_norm, layer_norm, normalize, rms_norm
from minitorch.ops.pool import avg_pool2d, max_pool2d
from minitorch.ops.rectifiers import (
    celu, glu, hardshrink, hardsigmoid, hardswish, hardtanh, mish, prelu, softmin, softshrink, softsign, tanhshrink, threshold,
)
from minitorch.ops.resize import adaptive_avg_pool2d, adaptive_max_pool2d, interpolate, pad, pixel_shuffle
from minitorch.ops.sequences import adaptive_avg_pool1d, avg_pool1d, conv1d, conv_transpose1d, max_pool1d
from minitorch.ops.softmax import log_softmax, softmax

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "affine_grid", "avg_pool1d", "avg_pool2d",
    "batch_norm", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "contrastive_loss", "conv1d", "conv2d",
    "conv_transpose1d", "conv_transpose2d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout",
    "dropout2d", "elu", "embedding", "fold", "gelu", "glu", "grid_sample", "group_norm", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "margin_ranking_loss", "max_pool1d", "max_pool2d", "mish", "mse_loss", "nll_loss",
    "normalize", "one_hot", "pad", "pairwise_distance", "pixel_shuffle", "prelu", "relu", "relu6", "rms_norm",
    "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin", "softplus", "softshrink",
    "softsign", "tanh", "tanhshrink", "threshold", "triplet_margin_loss", "unfold",
]
# fmt: on
