"""minitorch: a deep-learning framework on NumPy or CuPy that can be read in an afternoon.

A PyTorch user writes `import minitorch as torch`, `import layers as nn` and `import minitorch.functional as F`.
"""

import importlib
import math
import sys
import typing

from minitorch import accelerator, amp, autograd, backends, cuda, distributions, functional, jit, methods, optim, testing, utils
from minitorch.amp import autocast
from minitorch.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minitorch.autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from minitorch.autograd.formulas import show_in_help
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
from minitorch.backends import get_num_threads, set_float32_matmul_precision, set_num_threads, use_deterministic_algorithms
from minitorch.creation import (
    arange,
    as_tensor,
    bernoulli,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    range,
    tensor,
    zeros,
    zeros_like,
)
from minitorch.files.checkpoint import load_checkpoint, save_checkpoint
from minitorch.files.serialization import load, save
from minitorch.jit import compile
from minitorch.keywords import with_keywords
from minitorch.limits import finfo, iinfo
from minitorch.memory import keep_freed_memory
from minitorch.ops.activation import erf, log_softmax, relu, sigmoid, softmax, tanh
from minitorch.ops.arithmetic import add, div, floor_divide, mul, neg, pow, reciprocal, remainder, rsqrt, square, sub
from minitorch.ops.choice import clamp, maximum, minimum, nonzero, where
from minitorch.ops.compare import (
    allclose,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
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
    logical_xor,
    lt,
    ne,
)
from minitorch.ops.counting import (
    argwhere,
    bincount,
    bucketize,
    count_nonzero,
    histc,
    isin,
    searchsorted,
    unique,
)
from minitorch.ops.elements import (
    addcdiv,
    addcmul,
    clamp_max,
    clamp_min,
    erfc,
    fmax,
    fmin,
    fmod,
    frac,
    isclose,
    lerp,
    logit,
    nan_to_num,
    sgn,
)
from minitorch.ops.elementwise import abs, ceil, cos, exp, floor, log, log1p, round, sign, sin, sqrt, trunc
from minitorch.ops.index import index_select, masked_fill
from minitorch.ops.joining import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    column_stack,
    dsplit,
    dstack,
    fliplr,
    flipud,
    hsplit,
    hstack,
    meshgrid,
    movedim,
    ravel,
    repeat_interleave,
    roll,
    rot90,
    tensor_split,
    tile,
    vsplit,
    vstack,
)
from minitorch.ops.linear import bmm, matmul, mm
from minitorch.ops.products import (
    addmm,
    baddbmm,
    cdist,
    cross,
    dist,
    dot,
    einsum,
    inner,
    kron,
    mv,
    outer,
    tensordot,
)
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
from minitorch.ops.running import aminmax, cumprod, diff, nanmean, nansum, std_mean, trapezoid, var_mean
from minitorch.ops.scatter import (
    index_add,
    index_copy,
    index_fill,
    masked_select,
    narrow,
    scatter,
    scatter_add,
    select,
    take_along_dim,
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
from minitorch.ops.sorting import (
    argsort,
    cummax,
    cummin,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    quantile,
    sort,
    topk,
)
from minitorch.ops.triangles import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from minitorch.ops.trigonometry import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cosh,
    deg2rad,
    exp2,
    expm1,
    hypot,
    log2,
    log10,
    logaddexp,
    rad2deg,
    sinh,
    tan,
)
from minitorch.printing import set_printoptions
from minitorch.random import Generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from minitorch.sampling import multinomial, normal
from minitorch.size import Size
from minitorch.tensor_types import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    set_default_tensor_type,
)

__version__ = "0.1.0"

keep_freed_memory()

# ---- other names, all of them PyTorch's ----------------------------------------------------------------------------------

absolute, concat, concatenate, clip, fix, moveaxis, row_stack = abs, cat, cat, clamp, trunc, movedim, vstack
subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
arccos, arcsin, arctan, arctan2, arccosh, arcsinh, arctanh = acos, asin, atan, atan2, acosh, asinh, atanh
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
swapaxes = swapdims = transpose
ger, trapz = outer, trapezoid


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of `input` is a floating one."""
    return input.is_floating_point()


def numel(input: Tensor) -> int:
    """The number of elements of `input`."""
    return input.numel()


inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
newaxis = None

float = float32
double = float64
half = float16
short = int16
int = int32
long = int64

for _name, _value in list(globals().items()):
    if getattr(_value, "__module__", "").startswith(("minitorch.ops", "minitorch.creation")):
        globals()[_name] = with_keywords(_value, takes_out=True)

show_in_help([sys.modules[__name__], functional, Tensor])

if typing.TYPE_CHECKING:
    from minitorch.explorer import explore


def __getattr__(name: str) -> typing.Any:
    """`explore` is imported when it is first used: its modules would make `import minitorch` a tenth slower."""
    if name == "explore":
        return importlib.import_module("minitorch.explorer").explore
    raise AttributeError(f"module 'minitorch' has no attribute {name!r}", name=name)
