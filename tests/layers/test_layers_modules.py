"""The layers and losses: starting values, dtypes, devices, statistics, what they refuse and how they print.

Their values and gradients are compared with PyTorch's in tests/parity/test_layers_parity.py.
"""

import inspect
import math
import re
import subprocess
import sys

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch.ops import norm as norm_ops
from minitorch.ops.images import at_pixels
from tests import fakecupy
from tests.layers.cases import CASES, NOT_IN_TORCH, tensors_of

ALL_CASES = CASES + NOT_IN_TORCH
with_each_case = pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def seeded():
    mt.manual_seed(0)


def test_every_module_has_a_case():
    modules = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    others = {"Module", "ModuleDict", "ModuleList", "Parameter", "Sequential"}  # tested in test_layers_module.py
    others |= {"DataParallel", "ParameterDict", "ParameterList", *(name for name in modules if name.startswith("Lazy"))}  # here
    assert modules - others == {case.kind for case in ALL_CASES}


# ---- dtypes and devices --------------------------------------------------------------------------------------------------


def run(case, dtype, device="cpu"):
    """One forward and backward: the module, its floating inputs and its output."""
    module = case.make(nn, lambda values: mt.tensor(values, dtype=dtype, device=device)).to(device)
    arrays = case.inputs(np.random.default_rng(0))
    inputs = [mt.tensor(a, dtype=dtype if a.dtype.kind == "f" else None, device=device) for a in arrays]
    floats = [x.requires_grad_() for x in inputs if x.is_floating_point()]
    outputs = tensors_of(module(*(x * 1.0 if x.is_floating_point() else x for x in inputs)))  # leaves are not changed in place
    given = [output for output in outputs if output.requires_grad]
    if given:
        mt.autograd.backward(given, [mt.ones_like(output) for output in given])
    return module, floats, outputs


@with_each_case
@pytest.mark.parametrize("dtype", [mt.float32, mt.float64])
def test_a_module_keeps_the_dtype_it_is_given(case, dtype):
    mt.set_default_dtype(dtype)
    try:
        module, floats, outputs = run(case, dtype)
    finally:
        mt.set_default_dtype(mt.float32)
    made = [
        *(output for output in outputs if output.is_floating_point()),
        *module.parameters(),
        *(b for _, b in module.named_buffers() if b.is_floating_point()),
    ]
    grads = [tensor.grad for tensor in (*module.parameters(), *floats) if tensor.grad is not None]
    assert {tensor.dtype for tensor in made + grads} == {dtype}
    assert grads or case.kind in ("Dropout",)


# fmt: off
LEARNING = {
    "BatchNorm1d": (4,), "BatchNorm2d": (4,), "Conv1d": (4, 4, 1), "Conv2d": (4, 4, 1),
    "ConvTranspose2d": (4, 4, 1), "InstanceNorm1d": (4, 1e-5, 0.1, True),
    "InstanceNorm2d": (4, 1e-5, 0.1, True), "RMSNorm": (4,), "Embedding": (4, 4),
    "GRU": (4, 4), "GRUCell": (4, 4), "GroupNorm": (2, 4), "LSTM": (4, 4), "LSTMCell": (4, 4), "LayerNorm": (4,),
    "Linear": (4, 4), "PReLU": (4,), "MultiheadAttention": (4, 2), "Transformer": (4, 2, 1, 1, 8),
    "TransformerEncoderLayer": (4, 2), "TransformerDecoderLayer": (4, 2), "RNN": (4, 4), "RNNCell": (4, 4),
}
# fmt: on


def test_every_module_with_state_of_its_own_is_made_for_a_dtype_and_device(cupy):
    for name, arguments in LEARNING.items():
        made = getattr(nn, name)(*arguments, dtype=mt.float64, device="cuda")
        own = [*made.parameters(), *made.buffers()]
        assert {t.dtype for t in own if t.is_floating_point()} == {mt.float64}, name
        assert {t.device.type for t in own} == {"cuda"}, name
    with_state = {case.kind for case in ALL_CASES if list(case.make(nn, mt.tensor).parameters())}
    assert set(LEARNING) == with_state - {"TransformerDecoder", "TransformerEncoder"}  # made of layers


@with_each_case
def test_a_module_computes_on_a_gpu_what_it_computes_on_the_host(case, cupy):
    module, floats, outputs = run(case, mt.float32)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    mt.manual_seed(0)
    twin, gpu_floats, gpu_outputs = run(case, mt.float32, "cuda")
    assert {tensor.device.type for tensor in (*gpu_outputs, *twin.parameters(), *twin.buffers())} == {"cuda"}
    pairs = [*zip(outputs, gpu_outputs, strict=True), *((value, twin.state_dict()[key]) for key, value in state.items())]
    for here, there in zip((*module.parameters(), *floats), (*twin.parameters(), *gpu_floats), strict=True):
        assert (here.grad is None) == (there.grad is None)
        if here.grad is not None:
            pairs.append((here.grad, there.grad))
    for here, there in pairs:
        np.testing.assert_allclose(there.detach().cpu().numpy(), here.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_net_moves_to_a_gpu_and_back_with_its_gradients(cupy):
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    net(mt.randn(4, 3)).sum().backward()
    parameters, before = list(net.parameters()), {key: value.clone() for key, value in net.state_dict().items()}
    assert net.cuda() is net
    assert all(new is old for new, old in zip(net.parameters(), parameters))
    assert {t.device.type for p in net.parameters() for t in (p, p.grad)} == {"cuda"}
    assert {b.device.type for b in net.buffers()} == {"cuda"}
    assert net.load_state_dict(before) == ([], [])
    assert {p.device.type for p in net.cpu().parameters()} == {"cpu"}
    assert all(mt.equal(value, before[key]) for key, value in net.state_dict().items())


def test_a_seed_gives_the_same_weights_on_a_gpu(cupy):
    weights = []
    for device in ("cpu", "cuda"):
        mt.manual_seed(3)
        weights.append(nn.Conv2d(2, 3, 3, device=device).weight.cpu())
    assert mt.equal(*weights)


# ---- starting values -----------------------------------------------------------------------------------------------------

BOUNDED = [  # a layer, and the fan in that bounds its weight and bias by 1 / sqrt(fan in)
    (lambda: nn.Linear(400, 300), 400),
    (lambda: nn.Conv2d(40, 60, (3, 5)), 600),
    (lambda: nn.Conv2d(40, 60, 5, groups=4), 250),
    (lambda: nn.ConvTranspose2d(40, 60, 5, groups=4), 375),
]


@pytest.mark.parametrize(("make", "fan_in"), BOUNDED)
def test_layers_start_uniform_between_their_bounds(make, fan_in):
    layer, bound = make(), 1 / math.sqrt(fan_in)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    n = weight.size
    # five standard errors, and the outermost of n draws within 20 / n of the bound
    assert abs(weight.mean()) < 5 * bound / math.sqrt(3 * n)
    assert weight.std() == pytest.approx(bound / math.sqrt(3), rel=5 / math.sqrt(n))
    assert bound * (1 - 20 / n) < np.abs(weight).max() <= bound
    assert bound * 0.5 < np.abs(bias).max() <= bound


def test_an_embedding_starts_normal_with_a_padding_row_of_zeros():
    table = nn.Embedding(500, 100, padding_idx=-1)
    weight = table.weight.detach().numpy()
    assert table.padding_idx == 499
    assert nn.Embedding(3, 2, padding_idx=-3).padding_idx == 0
    assert not weight[-1].any()
    assert weight[:-1].mean() == pytest.approx(0, abs=5 / math.sqrt(weight.size))
    assert weight[:-1].std() == pytest.approx(1, abs=5 / math.sqrt(2 * weight.size))


INITS = [  # of a tensor (80, 40, 5, 3): fan in 600, fan out 1,200
    (nn.init.uniform_, {"a": -1.0, "b": 3.0}, 1.0, 4 / math.sqrt(12)),
    (nn.init.normal_, {"mean": 2.0, "std": 0.5}, 2.0, 0.5),
    (nn.init.xavier_uniform_, {"gain": 2.0}, 0.0, 2 * math.sqrt(2 / 1800)),
    (nn.init.xavier_normal_, {}, 0.0, math.sqrt(2 / 1800)),
    (nn.init.kaiming_uniform_, {"nonlinearity": "relu"}, 0.0, math.sqrt(2 / 600)),
    (nn.init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "tanh"}, 0.0, 5 / 3 / math.sqrt(1200)),
]


@pytest.mark.parametrize(("rule", "arguments", "mean", "std"), INITS, ids=lambda value: getattr(value, "__name__", ""))
def test_init_draws_have_the_mean_and_deviation_they_should(rule, arguments, mean, std):
    tensor = mt.zeros(80, 40, 5, 3, requires_grad=True)
    assert rule(tensor, **arguments) is tensor
    n = tensor.numel()
    assert tensor.detach().numpy().mean() == pytest.approx(mean, abs=5 * std / math.sqrt(n))
    assert tensor.detach().numpy().std() == pytest.approx(std, rel=5 / math.sqrt(n))
    assert tensor.grad_fn is None


@pytest.mark.parametrize("rule", [rule for rule, *_ in INITS] + [nn.init.orthogonal_])
def test_init_draws_from_the_generator_it_is_given_or_the_default_one(rule):
    def drawn(generator=None):
        return rule(mt.zeros(4, 3), generator=generator)

    given = drawn(mt.Generator().manual_seed(7))
    mt.manual_seed(7)
    assert mt.equal(drawn(), given)
    assert not mt.equal(drawn(), given)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3), (4, 4)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    matrix = nn.init.orthogonal_(mt.zeros(shape, dtype=mt.float64), gain=2.0).numpy().reshape(shape[0], -1) / 2
    product = matrix @ matrix.T if shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
def test_orthogonal_leaves_an_empty_tensor_alone(shape):
    assert nn.init.orthogonal_(mt.zeros(shape)).shape == shape


def test_orthogonal_matrices_have_no_preferred_sign():
    diagonals = [nn.init.orthogonal_(mt.zeros(2, 2))[0, 0].item() > 0 for _ in range(200)]
    assert 60 < sum(diagonals) < 140


def test_constants_fill_a_parameter_without_a_trace():
    weight = nn.Parameter(mt.randn(2, 3))
    assert nn.init.constant_(weight, 1.5).tolist() == [[1.5] * 3] * 2
    assert nn.init.eye_(weight).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert nn.init.zeros_(weight).tolist() == [[0] * 3] * 2
    assert nn.init.ones_(weight).tolist() == [[1] * 3] * 2
    assert weight.is_leaf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.init.xavier_uniform_(mt.zeros(3)), r"at least 2 dimensions, got shape \(3,\)"),
        (lambda: nn.init.kaiming_normal_(mt.zeros(3, 3), mode="fan"), "expected mode 'fan_in' or 'fan_out', got 'fan'"),
        (lambda: nn.init.kaiming_normal_(mt.zeros(3, 3), nonlinearity="swish"), "got 'swish'"),
        (lambda: nn.init.calculate_gain("leaky_relu", "steep"), "expected a number as negative slope, got 'steep'"),
        (lambda: nn.init.eye_(mt.zeros(3)), r"eye_: expected a matrix, got shape \(3,\)"),
        (lambda: nn.init.orthogonal_(mt.zeros(3)), r"orthogonal_: expected at least 2 dimensions, got shape \(3,\)"),
    ],
)
def test_init_refuses_what_it_cannot_fill(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_layer_without_inputs_has_a_bias_of_zero():
    assert nn.Linear(0, 3).bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 2), lambda: nn.Conv2d(2, 2, 3), lambda: nn.Embedding(5, 2, 1)])
def test_reset_parameters_starts_again_in_the_same_memory(make):
    mt.manual_seed(5)
    layer = make()
    start, array = layer.weight.detach().clone(), layer.weight.array
    mt.manual_seed(5)
    nn.init.zeros_(layer.weight)
    layer.reset_parameters()
    assert mt.equal(layer.weight, start)
    assert layer.weight.array is array


# ---- batch normalisation -------------------------------------------------------------------------------------------------


def test_batch_norm_counts_batches_in_training_only():
    norm = nn.BatchNorm1d(2)
    norm(mt.randn(4, 2))
    norm.eval()(mt.randn(4, 2))
    assert norm.num_batches_tracked.item() == 1
    assert norm.num_batches_tracked.dtype == mt.int64


def test_batch_norm_without_momentum_averages_over_all_batches():
    norm, batches = nn.BatchNorm1d(2, momentum=None), [mt.randn(8, 2) + i for i in range(3)]
    for batch in batches:
        norm(batch)
    np.testing.assert_allclose(norm.running_mean.numpy(), np.mean([b.numpy().mean(0) for b in batches], 0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), np.mean([b.numpy().var(0, ddof=1) for b in batches], 0), rtol=1e-5)


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation_too():
    norm, x = nn.BatchNorm1d(2, track_running_stats=False), mt.randn(8, 2) * 3 + 1
    assert list(norm.state_dict()) == ["weight", "bias"]
    assert mt.equal(norm.eval()(x), norm.train()(x))


def test_batch_norm_works_along_whole_images_where_numpy_would_stop_at_each_pixel(monkeypatch):
    sizes = []
    monkeypatch.setattr(norm_ops, "at_pixels", lambda *given: sizes.append(given[1:]) or at_pixels(*given))
    start = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype(np.float32)

    def run(x):
        sizes.clear()
        x.requires_grad_()
        norm = nn.BatchNorm2d(x.shape[1]).to(x.device) if x.ndim == 4 else nn.BatchNorm1d(x.shape[1])
        norm(x).square().sum().backward()
        return x.grad

    images = run(mt.from_numpy(start.transpose(0, 3, 1, 2)))
    assert sizes == [(4, 5)] * 7  # mean, scale and bias; mean, both means of the gradient, and scale
    planes = run(mt.from_numpy(np.ascontiguousarray(start.transpose(0, 3, 1, 2))))
    assert not sizes
    np.testing.assert_allclose(images.array, planes.array, atol=2e-6)
    run(mt.from_numpy(start.reshape(-1, 3)))
    assert not sizes
    nn.LayerNorm((4, 5))(mt.from_numpy(start.transpose(0, 3, 1, 2)))
    assert not sizes
    with fakecupy.install():
        on_gpu = run(mt.from_numpy(start).cuda().permute(0, 3, 1, 2).detach())
        assert not sizes
        np.testing.assert_allclose(on_gpu.cpu().array, planes.array, atol=2e-6)


def test_batch_norm_starts_again_on_reset():
    norm = nn.BatchNorm2d(2)
    norm(mt.randn(4, 2, 3, 3) + 5)
    nn.init.zeros_(norm.weight)
    norm.reset_parameters()
    assert norm.running_mean.tolist() == norm.bias.tolist() == [0, 0]
    assert norm.running_var.tolist() == norm.weight.tolist() == [1, 1]
    assert norm.num_batches_tracked.item() == 0


def test_a_batch_that_is_refused_leaves_no_trace_in_the_statistics():
    norm = nn.BatchNorm1d(2)
    for bad in (mt.randn(1, 2), mt.randn(4, 3)):
        with pytest.raises(ValueError, match="batch_norm"):
            norm(bad)
    assert norm.num_batches_tracked.item() == 0
    assert norm.running_mean.tolist() == [0, 0]


# ---- dropout -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "unit"), [(nn.Dropout(0.3), (1, 1)), (nn.Dropout2d(0.3), (5, 5))])
def test_dropout_drops_its_share_and_scales_the_rest(layer, unit):
    out = layer(mt.ones(100, 20, *unit)).numpy()
    units = out.reshape(2000, -1)
    assert (units == units[:, :1]).all()  # a channel falls as a whole
    assert set(np.unique(units)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (units[:, 0] == 0).mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / 2000))


def test_dropout_hands_its_input_on_in_evaluation():
    x = mt.randn(3, 4)
    assert nn.Dropout(0.5).eval()(x) is x


# ---- the rest ------------------------------------------------------------------------------------------------------------


def test_attributes_are_pytorch_s():
    conv = nn.Conv2d(2, 4, 3, stride=2, padding=(1, 0), groups=2)
    assert (conv.in_channels, conv.out_channels, conv.groups, conv.padding_mode) == (2, 4, 2, "zeros")
    assert (conv.kernel_size, conv.stride, conv.padding, conv.dilation) == ((3, 3), (2, 2), (1, 0), (1, 1))
    assert (nn.Linear(3, 4).in_features, nn.Linear(3, 4).out_features) == (3, 4)
    assert nn.MaxPool2d((2, 3)).stride == (2, 3)
    assert nn.CrossEntropyLoss(mt.ones(3), ignore_index=1).ignore_index == 1


def test_class_weights_move_with_their_loss_and_are_saved():
    loss = nn.CrossEntropyLoss(mt.tensor([1.0, 2.0])).double()
    assert loss.weight.dtype == mt.float64
    assert list(loss.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []


def test_max_pool_tells_where_the_maxima_were():
    values, places = nn.MaxPool2d(2, return_indices=True)(mt.tensor([[[[1.0, 4.0], [3.0, 2.0]]]]))
    assert (values.item(), places.item()) == (4, 1)


def test_softmax_without_a_dim_takes_the_last_of_a_matrix():
    x = mt.randn(3, 4)
    assert mt.equal(nn.Softmax()(x), nn.Softmax(dim=1)(x))
    assert mt.equal(nn.LogSoftmax()(x[0]), nn.LogSoftmax(dim=0)(x[0]))


def test_the_padding_row_of_an_embedding_stays_zero_in_training():
    table = nn.Embedding(4, 3, padding_idx=1)
    table(mt.tensor([0, 1, 1, 2])).sum().backward()
    assert table.weight.grad.tolist() == [[1] * 3, [0] * 3, [1] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: .* in_channels 3, out_channels 4, groups 2"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), "in_channels 4, out_channels 3, groups 2"),
        (lambda: nn.ConvTranspose2d(4, 4, 3, groups=0), "ConvTranspose2d: .* groups 0"),
        (lambda: nn.Conv2d(3, 4, 3, padding="full"), "expected padding 'same', 'valid' or numbers, got 'full'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, padding="same"), "padding 'same' needs a stride of 1, got 2"),
        (
            lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
            "padding_mode 'zeros', 'reflect', 'replicate', 'circular', got 'mirror'",
        ),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), "expected padding_mode 'zeros', got 'reflect'"),
        (lambda: nn.Conv1d(3, 4, (3, 3)), r"Conv1d: expected kernel_size to be one whole number of at least 1, got \(3, 3\)"),
        (lambda: nn.ReflectionPad1d((1, 2, 3)), r"ReflectionPad1d: expected one width or \(left, right\), got \(1, 2, 3\)"),
        (lambda: nn.BatchNorm2d(3, eps=0), "BatchNorm2d: expected an eps above 0, got 0"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, 2)(mt.zeros(1, 1, 4, 4), [8, 8]), r"cannot give an output of \(8, 8\)"),
        (lambda: nn.Conv2d(3, 4, 0), "Conv2d: expected kernel_size .* got 0"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), r"Conv2d: expected kernel_size .* got \(3, 3, 3\)"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), "ConvTranspose2d: expected padding .* got 'same'"),
        (lambda: nn.GroupNorm(3, 4), "3 groups do not divide 4 channels"),
        (lambda: nn.Dropout(1.5), "Dropout: expected a probability from 0 to 1, got 1.5"),
        (lambda: nn.Dropout2d(-0.1), "Dropout2d: .* got -0.1"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx 3 is outside a table of 3 rows"),
        (lambda: nn.Embedding(3, 2, padding_idx=-4), "padding_idx -4 is outside a table of 3 rows"),
        (lambda: nn.ZeroPad2d((1, 2)), r"ZeroPad2d: .* got \(1, 2\)"),
        (lambda: nn.Upsample(scale_factor=2, mode="lanczos"), "only modes nearest, .* are supported, got 'lanczos'"),
        (lambda: nn.Upsample(), "expected either size or scale_factor, got None and None"),
        (lambda: nn.MultiheadAttention(5, 2), "2 heads do not divide an embed_dim of 5"),
        (lambda: nn.MultiheadAttention(4, 2)(*[mt.zeros(3, 2, 5)] * 3), r"MultiheadAttention: expected query, key, value"),
        (lambda: nn.MultiheadAttention(4, 2)(*[mt.zeros(3, 2, 4)] * 3, is_causal=True), "is_causal is a hint about attn_mask"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="elu"), "expected activation 'relu' or 'gelu', got 'elu'"),
        (lambda: nn.Transformer(4, 2, 1, 1)(mt.zeros(3, 2, 4), mt.zeros(3, 3, 4)), "expected src and tgt of one batch size"),
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh: expected min_val below max_val, got 1.0 and 1.0"),
        (
            lambda: nn.KLDivLoss(reduction="all"),
            "KLDivLoss: expected reduction 'mean', 'batchmean', 'sum' or 'none', got 'all'",
        ),
        (lambda: nn.MSELoss(reduction="average"), "MSELoss: expected reduction 'mean', 'sum' or 'none', got 'average'"),
    ],
)
def test_a_layer_that_cannot_be_is_refused_with_the_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("layer", "shape", "seen"),
    [
        (nn.Linear(5, 3), (4, 6), [r"linear", r"\(4, 6\)", r"\(3, 5\)"]),
        (nn.Conv2d(3, 4, 3), (2, 1, 8, 8), [r"conv2d", r"\(2, 1, 8, 8\)", r"\(4, 3, 3, 3\)"]),
        (nn.Conv2d(3, 4, 3), (2, 3, 2, 8), [r"conv2d", r"\(2, 3, 2, 8\)"]),
        (nn.ConvTranspose2d(3, 4, 3), (2, 1, 8, 8), [r"conv_transpose2d", r"\(2, 1, 8, 8\)", r"\(3, 4, 3, 3\)"]),
        (nn.MaxPool2d(3), (1, 1, 2, 2), [r"max_pool2d", r"\(1, 1, 2, 2\)", "3"]),
        (nn.BatchNorm1d(3), (2, 4), [r"batch_norm", r"\(2, 4\)", r"\(3,\)"]),
        (nn.BatchNorm1d(3), (2, 3, 4, 4), [r"BatchNorm1d", r"\(n, channels\)", r"\(2, 3, 4, 4\)"]),
        (nn.BatchNorm2d(3), (2, 3), [r"BatchNorm2d", r"\(n, channels, height, width\)", r"\(2, 3\)"]),
        (nn.LayerNorm(4), (2, 3), [r"layer_norm", r"4", r"\(2, 3\)"]),
        (nn.GroupNorm(2, 4), (2, 6, 3), [r"group_norm", r"\(4,\)|\(6,\)"]),
        (nn.Dropout2d(), (2, 3), [r"dropout2d", r"\(2, 3\)"]),
        (nn.InstanceNorm2d(3), (2, 3), [r"InstanceNorm2d", r"\(n, channels, height, width\)", r"\(2, 3\)"]),
        (nn.InstanceNorm2d(3, affine=True), (2, 4, 5, 5), [r"InstanceNorm2d: expected 3 channels", r"\(2, 4, 5, 5\)"]),
        (nn.Softmax(), (2, 3, 4), [r"Softmax: expected a dim", r"\(2, 3, 4\)"]),
        (nn.Unflatten(1, (2, 2)), (2, 3), [r"unflatten|reshape", r"\(2, 3\)", r"2, 2"]),
    ],
)
def test_an_input_that_does_not_fit_raises_with_all_shapes(layer, shape, seen):
    with pytest.raises(ValueError, match=seen[0]) as failure:
        layer(mt.zeros(shape))
    for part in seen:
        assert re.search(part, str(failure.value)), part


def test_an_embedding_refuses_numbers_outside_its_table():
    with pytest.raises(IndexError, match=r"outside 0..2"):
        nn.Embedding(3, 2)(mt.tensor([0, 3]))


def test_a_loss_broadcasts_nothing():
    with pytest.raises(ValueError, match=r"mse_loss: .* \(4, 1\) and \(4,\)"):
        nn.MSELoss()(mt.zeros(4, 1), mt.zeros(4))


def test_what_pytorch_lacks_has_the_defaults_of_its_function():
    wanted = inspect.signature(nn.functional.contrastive_loss).parameters
    assert {name: p.default for name, p in inspect.signature(nn.ContrastiveLoss).parameters.items()} == {
        name: wanted[name].default for name in ("margin", "reduction")
    }


def test_the_old_ways_to_ask_for_a_reduction_are_heard():
    reductions = [nn.MSELoss(*old).reduction for old in ((), (True,), (False,), (None, False), (True, True))]
    assert reductions == ["mean", "mean", "sum", "none", "mean"]
    assert nn.CrossEntropyLoss(None, False, 3).ignore_index == 3
    x = mt.tensor([1.0, 3.0])
    assert nn.functional.mse_loss(x, x * 0, size_average=False).item() == 10
    assert nn.functional.l1_loss(x, x * 0, reduce=False).tolist() == [1, 3]


# ---- functions on parameters, and names ----------------------------------------------------------------------------------


def test_parameters_become_a_vector_and_come_back():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    arrays = [p.array for p in net.parameters()]
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (11,)
    vector.sum().backward()
    assert all(p.grad.all() for p in net.parameters())
    nn.utils.vector_to_parameters(mt.arange(11.0), net.parameters())
    assert net[0].bias.tolist() == [6, 7]
    assert all(p.array is array for p, array in zip(net.parameters(), arrays))


def test_a_vector_of_the_wrong_length_is_refused_with_both_lengths():
    with pytest.raises(ValueError, match=r"expected a vector of 8 elements, got shape \(9,\)"):
        nn.utils.vector_to_parameters(mt.zeros(9), nn.Linear(3, 2).parameters())


def test_clipping_lies_where_pytorch_has_it():
    layer = nn.Linear(3, 2)
    layer(mt.ones(4, 3)).sum().backward()
    nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    total = sum(float((p.grad * p.grad).sum()) for p in layer.parameters())
    assert total == pytest.approx(1, abs=1e-4)


def test_functional_is_found_under_both_names():
    assert all(getattr(nn.functional, name) is getattr(mt.functional, name) for name in mt.functional.__all__)


def test_importing_layers_needs_numpy_alone():
    code = "import sys, layers; print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"layers", "minitorch", "numpy"} <= set(found)
    assert {"cupy", "matplotlib", "platformdirs", "safetensors", "scipy", "torch", "tqdm"}.isdisjoint(found)


# ---- lists and dictionaries of parameters, lazy layers, one device -------------------------------------------------------


def test_a_list_of_parameters_is_found_and_counts_from_either_end():
    values = nn.ParameterList([nn.Parameter(mt.ones(2)), mt.zeros(3)])
    values.append(mt.ones(1)).extend([mt.ones(4)])
    assert [name for name, _ in values.named_parameters()] == ["0", "1", "2", "3"]
    assert [len(values), len(values[1:3]), values[-1].shape] == [4, 2, (4,)]
    values[0] = mt.zeros(5)
    assert isinstance(values[0], nn.Parameter)
    assert [p.numel() for p in values] == [5, 3, 1, 4]
    assert "(1): Parameter containing: [torch." in repr(values)
    with pytest.raises(IndexError, match="ParameterList: position 4 is outside a length of 4"):
        values[4]


def test_a_dictionary_of_parameters_is_found():
    values = nn.ParameterDict({"w": mt.ones(2)})
    values["b"] = mt.zeros(1)
    values.update([("c", mt.ones(3))])
    assert list(values) == list(values.keys()) == ["w", "b", "c"]
    assert [p.numel() for p in values.values()] == [2, 1, 3]
    assert "w" in values and len(values.items()) == 3
    assert values.pop("c").shape == (3,)
    del values["b"]
    assert [name for name, _ in values.named_parameters()] == ["w"]
    assert list(nn.Sequential(values).state_dict()) == ["0.w"]


LAZY = {
    nn.LazyLinear: ((3,), nn.Linear, (2, 5)),
    nn.LazyConv1d: ((4, 3), nn.Conv1d, (2, 5, 7)),
    nn.LazyConv2d: ((4, 3), nn.Conv2d, (2, 5, 7, 7)),
    nn.LazyBatchNorm1d: ((), nn.BatchNorm1d, (4, 5)),
    nn.LazyBatchNorm2d: ((), nn.BatchNorm2d, (4, 5, 3, 3)),
}


@pytest.mark.parametrize("lazy", LAZY)
def test_a_lazy_layer_becomes_the_ordinary_one_at_the_first_call(lazy):
    arguments, kind, shape = LAZY[lazy]
    layer = lazy(*arguments).double()
    parameters = list(layer.parameters())
    mt.manual_seed(3)
    x = mt.randn(*shape, dtype=mt.float64)
    output = layer(x)
    assert type(layer) is kind
    assert all(new is old for new, old in zip(layer.parameters(), parameters, strict=True))
    plain = kind(5, *arguments).double()
    plain.load_state_dict(layer.state_dict())
    if "BatchNorm" not in kind.__name__:
        assert mt.equal(plain(x), output)
    assert layer.weight.detach().abs().sum() > 0
    assert repr(layer) == repr(plain)


def test_a_lazy_layer_refuses_channels_that_its_groups_do_not_divide():
    with pytest.raises(ValueError, match="LazyConv2d: 2 groups do not divide 3 channels"):
        nn.LazyConv2d(4, 3, groups=2)(mt.zeros(1, 3, 5, 5))


def test_data_parallel_is_its_module():
    net = nn.Linear(3, 2)
    around = nn.DataParallel(net)
    x = mt.randn(4, 3)
    assert mt.equal(around(x), net(x))
    assert list(around.state_dict()) == ["module.weight", "module.bias"]


def test_a_transposed_convolution_takes_the_size_of_its_output():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    assert layer(mt.zeros(1, 2, 4, 4), output_size=(8, 7)).shape == (1, 3, 8, 7)


def test_masks_keep_queries_from_looking():
    mt.manual_seed(0)
    layer, x = nn.MultiheadAttention(4, 2), mt.randn(3, 1, 4)
    ahead = nn.Transformer.generate_square_subsequent_mask(3)
    assert ahead.tolist() == [[0, -math.inf, -math.inf], [0, 0, -math.inf], [0, 0, 0]]
    _, weights = layer(x, x, x, attn_mask=ahead)
    assert weights.shape == (1, 3, 3)
    assert (weights.detach().numpy()[0] > 0).tolist() == [[True, False, False], [True, True, False], [True] * 3]
    _, padded = layer(x, x, x, key_padding_mask=mt.tensor([[False, False, True]]), average_attn_weights=False)
    assert padded.shape == (1, 2, 3, 3)
    assert not padded.detach().numpy()[..., 2].any()
    assert layer(x, x, x, need_weights=False)[1] is None


# ---- hooks on gradients, and small names ---------------------------------------------------------------------------------


def test_a_backward_hook_sees_both_gradients_and_may_change_one():
    seen = []
    layer = nn.Linear(3, 2)
    handle = layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append((module, inputs, outputs)))
    x = mt.ones(4, 3, requires_grad=True)
    layer(x).sum().backward()
    ((module, (grad_input,), (grad_output,)),) = seen
    assert module is layer
    assert grad_output.tolist() == [[1, 1]] * 4
    assert mt.equal(grad_input, x.grad)
    assert mt.equal(layer.weight.grad, mt.full((2, 3), 4.0))
    handle.remove()
    layer.register_backward_hook(lambda module, inputs, outputs: (inputs[0] * 0,))
    y = mt.ones(4, 3, requires_grad=True)
    layer(y).sum().backward()
    assert len(seen) == 1
    assert not y.grad.any()


def test_a_backward_hook_of_a_first_layer_has_no_gradient_of_the_input():
    seen = []
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    net[0].register_full_backward_hook(lambda *given: seen.append(given[1]))
    net(mt.ones(4, 3)).sum().backward()
    assert seen == [(None,)]


def test_a_pretrained_table_is_looked_up_and_frozen():
    table = nn.Embedding.from_pretrained(mt.arange(6.0).reshape(3, 2))
    assert table(mt.tensor([2, 0])).tolist() == [[4, 5], [0, 1]]
    assert not table.weight.requires_grad
    assert nn.Embedding.from_pretrained(mt.ones(3, 2), freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match=r"from_pretrained: expected a matrix, got shape \(3,\)"):
        nn.Embedding.from_pretrained(mt.ones(3))


def test_small_names_are_pytorch_s():
    net = nn.Linear(2, 2)
    assert net._get_name() == "Linear"
    assert repr(net.load_state_dict(net.state_dict())) == "<All keys matched successfully>"
    assert type(net.state_dict()).__name__ == "OrderedDict"
    assert nn.init.xavier_uniform is nn.init.xavier_uniform_
    assert nn.utils.clip_grad_norm is nn.utils.clip_grad_norm_


def test_a_transformer_takes_layers_and_activations_of_this_library_alone():
    with pytest.raises(TypeError, match=r"TransformerEncoder: only a module of `layers` is supported, got builtins\.object"):
        nn.TransformerEncoder(object(), 2)
    with pytest.raises(TypeError, match="TransformerEncoderLayer: expected an activation that takes minitorch tensors, got"):
        nn.TransformerEncoderLayer(4, 2, activation=np.char.upper)
