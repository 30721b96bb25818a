"""minitorch: a deep-learning framework on NumPy or CuPy whose engine is read in one sitting.

PyTorch users write `import minitorch as torch`, `import layers as nn` and `import minitorch.functional as F`.
"""

import builtins
import importlib
import sys
import typing
from math import e, inf, nan, pi

import numpy as np

# fmt: off
# isort: off
from minitorch import (  # autograd first: its gradcheck draws with minitorch.random, which makes tensors
    autograd, accelerator, amp, backends, cuda, functional, jit, linalg, methods, optim, testing, utils, version,
)
from minitorch.amp import autocast
from minitorch.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minitorch.autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from minitorch.autograd.description import show_in_help
from minitorch.autograd.tensor import Tensor
from minitorch.backend import (
    bfloat16, bool_ as bool, complex64, complex128, device, float16, float16 as half, float32, float32 as float, float64,
    float64 as double, finfo, get_default_device, get_default_dtype, iinfo, int8, int16, int16 as short, int32, int32 as int,
    int64, int64 as long, set_default_device, set_default_dtype, uint8,
)
from minitorch.backends import mps, set_float32_matmul_precision, use_deterministic_algorithms
from minitorch.creation import (
    arange, as_tensor, empty, empty_like, eye, from_dlpack, from_numpy, full, full_like, linspace, logspace, ones, ones_like,
    range, tensor, zeros, zeros_like,
)
from minitorch.jit import compile
from minitorch.keywords import take_keywords
from minitorch.memory import keep_freed_memory
from minitorch.ops.activation import relu, sigmoid
from minitorch.ops.arithmetic import (
    add, addcdiv, addcmul, div, div as divide, div as true_divide, floor_divide, lerp, mul, mul as multiply, neg,
    neg as negative, pow, reciprocal, remainder, rsqrt, square, sub, sub as subtract,
)
from minitorch.ops.choice import clamp, clamp as clip, clamp_max, clamp_min, maximum, minimum, nonzero, where
from minitorch.ops.compare import (
    allclose, argwhere, bincount, bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor,
    count_nonzero, eq, equal, ge, ge as greater_equal, gt, gt as greater, histc, histogram, isclose, isfinite, isinf, isnan, le,
    le as less_equal, logical_and, logical_not, logical_or, logical_xor, lt, lt as less, ne, ne as not_equal, unique,
)
from minitorch.ops.elementwise import (
    abs, abs as absolute, acos, acos as arccos, asin, asin as arcsin, atan, atan as arctan, ceil, cos, cosh, deg2rad, exp,
    expm1, floor, log, log10, log1p, log2, rad2deg, round, sgn, sign, sin, sinh, sqrt, tan, tanh, trunc, trunc as fix,
)
from minitorch.ops.extremes import argmax, argmin, max, min
from minitorch.ops.erf import erf, erfc
from minitorch.ops.index import masked_fill
from minitorch.ops.inverses import det, inv as inverse, svd
from minitorch.ops.joining import (
    atleast_1d, atleast_2d, broadcast_shapes, broadcast_tensors, broadcast_to, cat, cat as concat, cat as concatenate, chunk,
    hstack, meshgrid, movedim, movedim as moveaxis, ravel, repeat_interleave, roll, split, stack, tile, unbind,
    vstack, vstack as row_stack,
)
from minitorch.ops.linear import bmm, matmul, mm
from minitorch.ops.loss import cdist
from minitorch.ops.matrices import addmm, baddbmm, cross, dot, einsum, mv, outer, outer as ger
from minitorch.ops.matrices import diag, diag_embed, diagonal, matrix_power, trace, tril, tril_indices, triu
from minitorch.ops.recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from minitorch.ops.reduce import all, amax, amin, any, logsumexp, mean, norm, std, std_mean, sum, var, var_mean
from minitorch.ops.running import cumprod, cumsum, prod
from minitorch.ops.scatter import (
    gather, index_add, index_copy, index_fill, index_select, masked_select, narrow, scatter, scatter_add,
)
from minitorch.ops.shape import (
    clone, flatten, flip, permute, reshape, squeeze, t, transpose, transpose as swapaxes, transpose as swapdims, unsqueeze,
)
from minitorch.ops.softmax import log_softmax, softmax
from minitorch.ops.sorting import argsort, median, mode, quantile, sort, topk
from minitorch.threads import get_num_threads, set_num_threads
from minitorch.printing import set_printoptions
from minitorch.random import Generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from minitorch.sampling import (
    bernoulli, multinomial, normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
)
from minitorch.conversion import Size
from minitorch.tensor_types import (
    BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, HalfTensor, IntTensor, LongTensor, ShortTensor,
    set_default_tensor_type,
)

__version__ = "0.1.0"

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Generator", "HalfTensor", "IntTensor",
    "LongTensor", "ShortTensor", "Size", "Tensor", "abs", "absolute", "accelerator", "acos", "add", "addcdiv", "addcmul",
    "addmm", "all", "allclose", "amax", "amin", "amp", "any", "arange", "arccos", "arcsin", "arctan", "argmax", "argmin",
    "argsort", "argwhere", "as_tensor", "asin", "atan", "atleast_1d", "atleast_2d", "autocast", "autograd", "backends",
    "baddbmm", "bernoulli", "bfloat16", "bincount", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "bmm", "bool", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cat",
    "cdist", "ceil", "channels_last", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "compile", "complex64",
    "complex128", "concat", "concatenate", "contiguous_format", "cos", "cosh", "count_nonzero", "cross", "cuda", "cumprod",
    "cumsum", "deg2rad", "det", "device", "diag", "diag_embed", "diagonal", "distributions", "div", "divide", "dot", "double",
    "dtype", "e", "einsum", "empty", "empty_like", "enable_grad", "eq", "equal", "erf", "erfc", "exp", "expm1", "eye", "finfo",
    "fix", "flatten", "flip", "float", "float16", "float32", "float64", "floor", "floor_divide", "from_dlpack", "from_numpy",
    "full", "full_like", "functional", "gather", "ge", "ger", "get_default_device", "get_default_dtype", "get_num_threads",
    "get_rng_state", "greater", "greater_equal", "gru_cell", "gt", "half", "histc", "histogram", "hstack", "iinfo", "index_add",
    "index_copy", "index_fill", "index_select", "inf", "inference_mode", "initial_seed", "int", "int8", "int16", "int32",
    "int64", "inverse", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_floating_point", "is_grad_enabled",
    "is_tensor", "isclose", "isfinite", "isinf", "isnan", "jit", "le", "lerp", "less", "less_equal", "linalg", "linspace",
    "load", "load_checkpoint", "log", "log1p", "log2", "log10", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logspace", "logsumexp", "long", "lstm_cell", "lt", "manual_seed", "masked_fill", "masked_select", "matmul",
    "matrix_power", "max", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mm", "mode", "moveaxis", "movedim",
    "mps", "mul", "multinomial", "multiply", "mv", "nan", "narrow", "ne", "neg", "negative", "newaxis", "no_grad", "nonzero",
    "norm", "normal", "not_equal", "numel", "ones", "ones_like", "onnx", "optim", "outer", "permute", "pi", "pow",
    "preserve_format", "prod", "quantile", "rad2deg", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "range", "ravel", "reciprocal", "relu", "remainder", "repeat_interleave", "reshape", "rnn_relu_cell",
    "rnn_tanh_cell", "roll", "round", "row_stack", "rsqrt", "save", "save_checkpoint", "scatter", "scatter_add", "seed",
    "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_float32_matmul_precision", "set_grad_enabled",
    "set_num_threads", "set_printoptions", "set_rng_state", "sgn", "short", "sigmoid", "sign", "sin", "sinh", "softmax", "sort",
    "split", "sqrt", "square", "squeeze", "stack", "std", "std_mean", "sub", "subtract", "sum", "svd", "swapaxes", "swapdims",
    "t", "tan", "tanh", "tensor", "testing", "tile", "topk", "trace", "transpose", "tril", "tril_indices", "triu",
    "true_divide", "trunc", "uint8", "unbind", "unique", "unsqueeze", "use_deterministic_algorithms", "utils", "var",
    "var_mean", "version", "vstack", "where", "zeros", "zeros_like",
]
# fmt: on

newaxis: typing.Final = None
dtype: typing.TypeAlias = np.dtype
is_floating_point: typing.Final = Tensor.is_floating_point
numel: typing.Final = Tensor.numel
contiguous_format: typing.Final = "torch.contiguous_format"
channels_last: typing.Final = "torch.channels_last"
preserve_format: typing.Final = "torch.preserve_format"


def is_tensor(obj: object) -> builtins.bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


keep_freed_memory()
take_keywords(globals(), ("minitorch.ops", "minitorch.creation", "minitorch.sampling"), takes_out=True)
take_keywords(vars(functional), ("minitorch.ops", "minitorch.creation"), takes_out=False)
take_keywords(vars(linalg), ("minitorch.ops", "minitorch.linalg"), takes_out=False)
show_in_help([sys.modules[__name__], functional, Tensor])

if typing.TYPE_CHECKING:
    from minitorch import distributions as distributions
    from minitorch import onnx as onnx
    from minitorch.explorer import explore as explore
    from minitorch.files.checkpoint import load_checkpoint as load_checkpoint
    from minitorch.files.checkpoint import save_checkpoint as save_checkpoint
    from minitorch.files.serialization import load as load
    from minitorch.files.serialization import save as save

_LATE = {
    "distributions": "minitorch.distributions",
    "explore": "minitorch.explorer",
    "load": "minitorch.files.serialization",
    "load_checkpoint": "minitorch.files.checkpoint",
    "onnx": "minitorch.onnx",
    "save": "minitorch.files.serialization",
    "save_checkpoint": "minitorch.files.checkpoint",
}


def __getattr__(name: str) -> typing.Any:
    """Import what few programs use only when it is first used: it would make `import minitorch` take two fifths longer."""
    if name not in _LATE:
        raise AttributeError(f"module 'minitorch' has no attribute {name!r}", name=name)
    module = importlib.import_module(_LATE[name])
    return module if _LATE[name] == f"minitorch.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    """All names, also those that are imported late."""
    return sorted({*globals(), *_LATE})
