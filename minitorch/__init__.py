"""minitorch: a deep-learning framework on NumPy or CuPy that can be read in an afternoon.

A PyTorch user writes `import minitorch as torch`, `import layers as nn` and `import minitorch.functional as F`.
"""

from minitorch import autograd, cuda, functional, methods, optim, utils
from minitorch.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minitorch.autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from minitorch.autograd.tensor import Tensor
from minitorch.backend import bool_ as bool
from minitorch.backend import (
    complex64,
    complex128,
    device,
    float16,
    float32,
    float64,
    get_default_device,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_device,
    set_default_dtype,
    uint8,
)
from minitorch.creation import (
    arange,
    as_tensor,
    bernoulli,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from minitorch.files.checkpoint import load_checkpoint, save_checkpoint
from minitorch.files.serialization import load, save
from minitorch.memory import keep_freed_memory
from minitorch.ops.activation import erf, log_softmax, relu, sigmoid, softmax, tanh
from minitorch.ops.arithmetic import add, div, floor_divide, mul, neg, pow, reciprocal, remainder, rsqrt, square, sub
from minitorch.ops.choice import clamp, maximum, minimum, nonzero, where
from minitorch.ops.compare import (
    allclose,
    eq,
    equal,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    lt,
    ne,
)
from minitorch.ops.elementwise import abs, ceil, cos, exp, floor, log, log1p, round, sign, sin, sqrt, trunc
from minitorch.ops.index import index_select, masked_fill
from minitorch.ops.linear import bmm, matmul, mm
from minitorch.ops.recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from minitorch.ops.reduce import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    cumsum,
    gather,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    std,
    sum,
    var,
)
from minitorch.ops.shape import (
    cat,
    chunk,
    clone,
    flatten,
    flip,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    t,
    transpose,
    unbind,
    unsqueeze,
)
from minitorch.random import Generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__version__ = "0.1.0"

keep_freed_memory()

float = float32
double = float64
half = float16
int = int32
long = int64
