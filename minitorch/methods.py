"""Gives `Tensor` its operators and methods: the functions of `minitorch.ops`, with the tensor as first argument.

The file of `Tensor` imports no operation, which avoids import circles. Type checkers and editors see a `Tensor` that inherits
from `Methods`; at run time the end of this file copies its members to `Tensor`.
"""

from __future__ import annotations

import warnings
from types import FunctionType
from typing import Any, Final

from minitorch import backend, creation, sampling, tensor_methods, tensor_types
from minitorch.autograd import copies, hooks
from minitorch.autograd.tensor import Tensor
from minitorch.conversion import Conversion
from minitorch.keywords import with_keywords
from minitorch.operators import Operators

# fmt: off
# isort: off
from minitorch.ops import (
    activation, arithmetic, choice, compare, elementwise, extremes, index, inplace, inverses, joining, linear, matrices, reduce,
    running, shape, sorting,
)
from minitorch.ops import erf as error_function
from minitorch.ops import scatter as scattering
from minitorch.ops import softmax as softmaxes
# isort: on
# fmt: on


class Methods(Operators):
    """The methods of `Tensor`. With `Final` the type of each is that of its function, and need not be written again."""

    __slots__ = ()

    # ---- methods that are functions of the same name, or of PyTorch's other name ------------------------------------------

    add: Final = arithmetic.add
    sub: Final = arithmetic.sub
    subtract: Final = arithmetic.sub
    mul: Final = arithmetic.mul
    multiply: Final = arithmetic.mul
    div: Final = arithmetic.div
    divide: Final = arithmetic.div
    true_divide: Final = arithmetic.div
    floor_divide: Final = arithmetic.floor_divide
    remainder: Final = arithmetic.remainder
    neg: Final = arithmetic.neg
    negative: Final = arithmetic.neg
    pow: Final = arithmetic.pow
    square: Final = arithmetic.square
    reciprocal: Final = arithmetic.reciprocal
    rsqrt: Final = arithmetic.rsqrt
    exp: Final = elementwise.exp
    log: Final = elementwise.log
    log1p: Final = elementwise.log1p
    sqrt: Final = elementwise.sqrt
    sin: Final = elementwise.sin
    cos: Final = elementwise.cos
    abs: Final = elementwise.abs
    absolute: Final = elementwise.abs
    sign: Final = elementwise.sign
    floor: Final = elementwise.floor
    ceil: Final = elementwise.ceil
    round: Final = elementwise.round
    trunc: Final = elementwise.trunc
    fix: Final = elementwise.trunc
    maximum: Final = choice.maximum
    minimum: Final = choice.minimum
    clamp: Final = choice.clamp
    clip: Final = choice.clamp
    nonzero: Final = choice.nonzero
    tanh: Final = elementwise.tanh
    sigmoid: Final = activation.sigmoid
    relu: Final = activation.relu
    erf: Final = error_function.erf
    softmax: Final = softmaxes.softmax
    log_softmax: Final = softmaxes.log_softmax
    eq: Final = compare.eq
    ne: Final = compare.ne
    not_equal: Final = compare.ne
    lt: Final = compare.lt
    less: Final = compare.lt
    le: Final = compare.le
    less_equal: Final = compare.le
    gt: Final = compare.gt
    greater: Final = compare.gt
    ge: Final = compare.ge
    greater_equal: Final = compare.ge
    logical_not: Final = compare.logical_not
    logical_and: Final = compare.logical_and
    logical_or: Final = compare.logical_or
    logical_xor: Final = compare.logical_xor
    bitwise_and: Final = compare.bitwise_and
    bitwise_or: Final = compare.bitwise_or
    bitwise_xor: Final = compare.bitwise_xor
    bitwise_not: Final = compare.bitwise_not
    bitwise_left_shift: Final = compare.bitwise_left_shift
    bitwise_right_shift: Final = compare.bitwise_right_shift
    isnan: Final = compare.isnan
    isfinite: Final = compare.isfinite
    isinf: Final = compare.isinf
    equal: Final = compare.equal
    allclose: Final = compare.allclose
    sum: Final = reduce.sum
    mean: Final = reduce.mean
    prod: Final = running.prod
    cumsum: Final = running.cumsum
    logsumexp: Final = reduce.logsumexp
    var: Final = reduce.var
    std: Final = reduce.std
    max: Final = extremes.max
    min: Final = extremes.min
    amax: Final = reduce.amax
    amin: Final = reduce.amin
    argmax: Final = extremes.argmax
    argmin: Final = extremes.argmin
    any: Final = reduce.any
    all: Final = reduce.all
    norm: Final = reduce.norm
    gather: Final = scattering.gather
    reshape: Final = shape.reshape
    resize: Final = shape.reshape
    view: Final = shape.view
    flatten: Final = shape.flatten
    unflatten: Final = shape.unflatten
    transpose: Final = shape.transpose
    swapaxes: Final = shape.transpose
    swapdims: Final = shape.transpose
    permute: Final = shape.permute
    t: Final = shape.t
    squeeze: Final = shape.squeeze
    unsqueeze: Final = shape.unsqueeze
    expand: Final = shape.expand
    expand_as: Final = shape.expand_as
    repeat: Final = shape.repeat
    flip: Final = shape.flip
    split: Final = joining.split
    chunk: Final = joining.chunk
    unbind: Final = joining.unbind
    clone: Final = shape.clone
    contiguous: Final = shape.contiguous
    to: Final = shape.to
    index_select: Final = scattering.index_select
    masked_fill: Final = index.masked_fill
    matmul: Final = linear.matmul
    mm: Final = linear.mm
    bmm: Final = linear.bmm
    add_: Final = inplace.add_
    sub_: Final = inplace.sub_
    mul_: Final = inplace.mul_
    div_: Final = inplace.div_
    pow_: Final = inplace.pow_
    neg_: Final = inplace.in_place("neg_", arithmetic.neg, saves_input=False)
    exp_: Final = inplace.in_place("exp_", elementwise.exp, saves_input=False)
    sqrt_: Final = inplace.in_place("sqrt_", elementwise.sqrt, saves_input=False)
    clamp_: Final = inplace.in_place("clamp_", choice.clamp)
    relu_: Final = inplace.in_place("relu_", activation.relu, saves_input=False)
    fill_: Final = inplace.fill_
    zero_: Final = inplace.zero_
    copy_: Final = inplace.copy_
    tan: Final = elementwise.tan
    asin: Final = elementwise.asin
    arcsin: Final = elementwise.asin
    acos: Final = elementwise.acos
    arccos: Final = elementwise.acos
    atan: Final = elementwise.atan
    arctan: Final = elementwise.atan
    sinh: Final = elementwise.sinh
    cosh: Final = elementwise.cosh
    expm1: Final = elementwise.expm1
    log2: Final = elementwise.log2
    log10: Final = elementwise.log10
    deg2rad: Final = elementwise.deg2rad
    rad2deg: Final = elementwise.rad2deg
    sgn: Final = elementwise.sgn
    clamp_min: Final = choice.clamp_min
    clamp_max: Final = choice.clamp_max
    isclose: Final = compare.isclose
    lerp: Final = arithmetic.lerp
    addcmul: Final = arithmetic.addcmul
    addcdiv: Final = arithmetic.addcdiv
    erfc: Final = error_function.erfc
    broadcast_to: Final = joining.broadcast_to
    tile: Final = joining.tile
    repeat_interleave: Final = joining.repeat_interleave
    roll: Final = joining.roll
    ravel: Final = joining.ravel
    movedim: Final = joining.movedim
    moveaxis: Final = joining.movedim
    view_as: Final = joining.view_as
    reshape_as: Final = joining.reshape_as
    unfold: Final = joining.unfold
    tril: Final = matrices.tril
    triu: Final = matrices.triu
    diagonal: Final = matrices.diagonal
    diag_embed: Final = matrices.diag_embed
    diag: Final = matrices.diag
    trace: Final = matrices.trace
    matrix_power: Final = matrices.matrix_power
    det: Final = inverses.det
    inverse: Final = inverses.inv
    svd: Final = inverses.svd
    dot: Final = matrices.dot
    outer: Final = matrices.outer
    ger: Final = matrices.outer
    mv: Final = matrices.mv
    cross: Final = matrices.cross
    addmm: Final = matrices.addmm
    baddbmm: Final = matrices.baddbmm
    cumprod: Final = running.cumprod
    sort: Final = sorting.sort
    argsort: Final = sorting.argsort
    topk: Final = sorting.topk
    median: Final = sorting.median
    mode: Final = sorting.mode
    quantile: Final = sorting.quantile
    unique: Final = compare.unique
    bincount: Final = compare.bincount
    histc: Final = compare.histc
    histogram: Final = compare.histogram
    argwhere: Final = compare.argwhere
    count_nonzero: Final = compare.count_nonzero
    scatter: Final = scattering.scatter
    scatter_add: Final = scattering.scatter_add
    index_add: Final = scattering.index_add
    index_copy: Final = scattering.index_copy
    index_fill: Final = scattering.index_fill
    masked_select: Final = scattering.masked_select
    narrow: Final = scattering.narrow
    new: Final = tensor_types.new
    resize_: Final = tensor_types.resize_
    pin_memory: Final = tensor_types.pin_memory
    bernoulli_: Final = sampling.bernoulli_
    random_: Final = sampling.random_
    exponential_: Final = sampling.exponential_
    register_hook: Final = hooks.register_hook
    register_post_accumulate_grad_hook: Final = hooks.register_post_accumulate_grad_hook
    retain_grad: Final = hooks.retain_grad

    # ---- forms in place of functions, each named as the function and an underscore ----------------------------------------

    abs_: Final = inplace.in_place("abs_", elementwise.abs)
    acos_: Final = inplace.in_place("acos_", elementwise.acos)
    addcdiv_: Final = inplace.in_place("addcdiv_", arithmetic.addcdiv)
    addcmul_: Final = inplace.in_place("addcmul_", arithmetic.addcmul)
    addmm_: Final = inplace.in_place("addmm_", matrices.addmm)
    asin_: Final = inplace.in_place("asin_", elementwise.asin)
    atan_: Final = inplace.in_place("atan_", elementwise.atan)
    baddbmm_: Final = inplace.in_place("baddbmm_", matrices.baddbmm)
    bitwise_and_: Final = inplace.in_place("bitwise_and_", compare.bitwise_and)
    bitwise_not_: Final = inplace.in_place("bitwise_not_", compare.bitwise_not)
    bitwise_or_: Final = inplace.in_place("bitwise_or_", compare.bitwise_or)
    bitwise_xor_: Final = inplace.in_place("bitwise_xor_", compare.bitwise_xor)
    ceil_: Final = inplace.in_place("ceil_", elementwise.ceil)
    clamp_max_: Final = inplace.in_place("clamp_max_", choice.clamp_max)
    clamp_min_: Final = inplace.in_place("clamp_min_", choice.clamp_min)
    cos_: Final = inplace.in_place("cos_", elementwise.cos)
    cosh_: Final = inplace.in_place("cosh_", elementwise.cosh)
    cumprod_: Final = inplace.in_place("cumprod_", running.cumprod)
    cumsum_: Final = inplace.in_place("cumsum_", running.cumsum)
    deg2rad_: Final = inplace.in_place("deg2rad_", elementwise.deg2rad)
    eq_: Final = inplace.in_place("eq_", compare.eq)
    erf_: Final = inplace.in_place("erf_", error_function.erf)
    erfc_: Final = inplace.in_place("erfc_", error_function.erfc)
    expm1_: Final = inplace.in_place("expm1_", elementwise.expm1)
    floor_: Final = inplace.in_place("floor_", elementwise.floor)
    floor_divide_: Final = inplace.in_place("floor_divide_", arithmetic.floor_divide)
    ge_: Final = inplace.in_place("ge_", compare.ge)
    gt_: Final = inplace.in_place("gt_", compare.gt)
    index_add_: Final = inplace.in_place("index_add_", scattering.index_add)
    index_copy_: Final = inplace.in_place("index_copy_", scattering.index_copy)
    index_fill_: Final = inplace.in_place("index_fill_", scattering.index_fill)
    le_: Final = inplace.in_place("le_", compare.le)
    lerp_: Final = inplace.in_place("lerp_", arithmetic.lerp)
    log_: Final = inplace.in_place("log_", elementwise.log)
    log10_: Final = inplace.in_place("log10_", elementwise.log10)
    log1p_: Final = inplace.in_place("log1p_", elementwise.log1p)
    log2_: Final = inplace.in_place("log2_", elementwise.log2)
    logical_and_: Final = inplace.in_place("logical_and_", compare.logical_and)
    logical_not_: Final = inplace.in_place("logical_not_", compare.logical_not)
    logical_or_: Final = inplace.in_place("logical_or_", compare.logical_or)
    logical_xor_: Final = inplace.in_place("logical_xor_", compare.logical_xor)
    lt_: Final = inplace.in_place("lt_", compare.lt)
    masked_fill_: Final = inplace.in_place("masked_fill_", index.masked_fill)
    ne_: Final = inplace.in_place("ne_", compare.ne)
    rad2deg_: Final = inplace.in_place("rad2deg_", elementwise.rad2deg)
    reciprocal_: Final = inplace.in_place("reciprocal_", arithmetic.reciprocal)
    remainder_: Final = inplace.in_place("remainder_", arithmetic.remainder)
    round_: Final = inplace.in_place("round_", elementwise.round)
    rsqrt_: Final = inplace.in_place("rsqrt_", arithmetic.rsqrt)
    scatter_: Final = inplace.in_place("scatter_", scattering.scatter)
    scatter_add_: Final = inplace.in_place("scatter_add_", scattering.scatter_add)
    sgn_: Final = inplace.in_place("sgn_", elementwise.sgn)
    sigmoid_: Final = inplace.in_place("sigmoid_", activation.sigmoid)
    sign_: Final = inplace.in_place("sign_", elementwise.sign)
    sin_: Final = inplace.in_place("sin_", elementwise.sin)
    sinh_: Final = inplace.in_place("sinh_", elementwise.sinh)
    square_: Final = inplace.in_place("square_", arithmetic.square)
    tan_: Final = inplace.in_place("tan_", elementwise.tan)
    tanh_: Final = inplace.in_place("tanh_", elementwise.tanh)
    tril_: Final = inplace.in_place("tril_", matrices.tril)
    triu_: Final = inplace.in_place("triu_", matrices.triu)
    trunc_: Final = inplace.in_place("trunc_", elementwise.trunc)
    squeeze_: Final = inplace.reshaped_in_place("squeeze_", shape.squeeze)
    swapaxes_: Final = inplace.reshaped_in_place("swapaxes_", shape.transpose)
    swapdims_: Final = inplace.reshaped_in_place("swapdims_", shape.transpose)
    t_: Final = inplace.reshaped_in_place("t_", shape.t)
    transpose_: Final = inplace.reshaped_in_place("transpose_", shape.transpose)
    unsqueeze_: Final = inplace.reshaped_in_place("unsqueeze_", shape.unsqueeze)

    @property
    def T(self: Any) -> Tensor:
        """The matrix transposed; of more dimensions all are reversed, with a warning, as in PyTorch."""
        if self.ndim > 2:
            said = f"Tensor.T reverses all dimensions of shape {tuple(self.shape)}; write .mT for the matrices transposed"
            warnings.warn(said, stacklevel=2)
        return shape.permute(self, *range(self.ndim)[::-1])

    @property
    def mT(self: Any) -> Tensor:
        """The last two dimensions exchanged."""
        return shape.transpose(self, -1, -2)

    cpu: Final = tensor_methods.cpu
    cuda: Final = tensor_methods.cuda
    half: Final = tensor_methods.cast("half", backend.float16)
    float: Final = tensor_methods.cast("float", backend.float32)
    double: Final = tensor_methods.cast("double", backend.float64)
    bool: Final = tensor_methods.cast("bool", backend.bool_)
    short: Final = tensor_methods.cast("short", backend.int16)
    int: Final = tensor_methods.cast("int", backend.int32)
    long: Final = tensor_methods.cast("long", backend.int64)
    byte: Final = tensor_methods.cast("byte", backend.uint8)
    char: Final = tensor_methods.cast("char", backend.int8)
    type: Final = tensor_types.type_
    type_as: Final = tensor_methods.type_as

    @property
    def data(self: Any) -> Tensor:
        """The same memory as a tensor without history; assign a tensor to replace the memory of a leaf."""
        return self.detach()

    @data.setter
    def data(self: Any, value: Tensor) -> None:
        tensor_methods.set_data(self, value)

    backward: Final = tensor_methods.backward
    requires_grad_: Final = tensor_methods.requires_grad_
    detach_: Final = tensor_methods.detach_
    where: Final = tensor_methods.where
    bernoulli: Final = sampling.bernoulli
    multinomial: Final = sampling.multinomial
    uniform_: Final = sampling.uniform_
    normal_: Final = sampling.normal_
    new_zeros: Final = tensor_methods.new(creation.zeros)
    new_ones: Final = tensor_methods.new(creation.ones)
    new_empty: Final = tensor_methods.new(creation.empty)
    new_full: Final = tensor_methods.new(creation.full)
    new_tensor: Final = tensor_methods.new(creation.tensor)
    ndimension: Final = Conversion.dim

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        """How `copy` and `pickle` store a tensor."""
        return copies.reduce_ex(self, protocol)


def _give(members: type) -> None:
    """Copy the functions and properties of a class to `Tensor`; operations also take PyTorch's alternative keywords."""
    for name, member in vars(members).items():
        if isinstance(member, property) or (isinstance(member, FunctionType) and name.startswith("__")):
            setattr(Tensor, name, member)
        elif isinstance(member, FunctionType):
            of_operation = member.__module__.startswith(("minitorch.ops", "minitorch.tensor_methods", "minitorch.sampling"))
            setattr(Tensor, name, with_keywords(member) if of_operation else member)


_give(Operators)
_give(Methods)
