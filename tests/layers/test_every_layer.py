"""The layers and losses: dtypes, devices, what they refuse, and how they print.

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
from tests.layers.cases import CASES, NOT_IN_TORCH, tensors_of

ALL_CASES = CASES + NOT_IN_TORCH
with_each_case = pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)


def test_every_module_has_a_case():
    modules = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    others = {"Module", "ModuleDict", "ModuleList", "Parameter", "ParameterDict", "ParameterList", "Sequential"}  # own tests
    others |= {"DataParallel", *(name for name in modules if name.startswith("Lazy"))}
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


@pytest.fixture
def default_dtype():
    yield mt.set_default_dtype
    mt.set_default_dtype(mt.float32)


@with_each_case
@pytest.mark.parametrize("dtype", [mt.float32, mt.float64])
def test_a_module_keeps_the_dtype_it_is_given(case, dtype, default_dtype):
    default_dtype(dtype)
    module, floats, outputs = run(case, dtype)
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
    "ConvTranspose1d": (4, 4, 1), "ConvTranspose2d": (4, 4, 1), "InstanceNorm1d": (4, 1e-5, 0.1, True),
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
def test_a_module_computes_on_a_gpu_what_it_computes_on_the_host(case, cupy, default_dtype):
    default_dtype(mt.float64)  # gradients that are 0 but for rounding have no size to compare float32's rounding with
    module, floats, outputs = run(case, mt.float64)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    mt.manual_seed(0)
    twin, gpu_floats, gpu_outputs = run(case, mt.float64, "cuda")
    assert {tensor.device.type for tensor in (*gpu_outputs, *twin.parameters(), *twin.buffers())} == {"cuda"}
    pairs = [*zip(outputs, gpu_outputs, strict=True), *((value, twin.state_dict()[key]) for key, value in state.items())]
    for here, there in zip((*module.parameters(), *floats), (*twin.parameters(), *gpu_floats), strict=True):
        assert (here.grad is None) == (there.grad is None)
        if here.grad is not None:
            pairs.append((here.grad, there.grad))
    for here, there in pairs:
        np.testing.assert_allclose(there.detach().cpu().numpy(), here.detach().numpy(), rtol=1e-9, atol=1e-12)


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
        (
            lambda: nn.ConvTranspose1d(1, 1, 3, 2)(mt.zeros(1, 1, 4), [8]),
            r"ConvTranspose1d: .* cannot give an output of \(8,\)",
        ),
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
        (nn.Dropout2d(), (3,), [r"dropout2d", r"\(3,\)"]),
        (nn.InstanceNorm2d(3), (2, 3), [r"InstanceNorm2d", r"\(n, channels, height, width\)", r"\(2, 3\)"]),
        (nn.InstanceNorm2d(3, affine=True), (2, 4, 5, 5), [r"InstanceNorm2d: expected 3 channels", r"\(2, 4, 5, 5\)"]),
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
    with pytest.raises(
        TypeError, match="TransformerEncoderLayer: only an activation that takes minitorch tensors is supported, got"
    ):
        nn.TransformerEncoderLayer(4, 2, activation=np.char.upper)
    layer = nn.TransformerEncoderLayer(4, 2, 6, activation=lambda x: x.softmax(2))  # a vector has no dimension 2
    assert layer(mt.zeros(3, 1, 4)).shape == (3, 1, 4)


def test_a_transposed_convolution_takes_the_size_of_its_output():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    assert layer(mt.zeros(1, 2, 4, 4), output_size=(8, 7)).shape == (1, 3, 8, 7)
    assert nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1)(mt.zeros(1, 2, 4), output_size=(8,)).shape == (1, 3, 8)


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


@pytest.mark.parametrize(
    "masks, kind, said",
    [
        ({"key_padding_mask": mt.tensor([[0, 0, 1]])}, TypeError, "key_padding_mask of bool or float32, got int64"),
        ({"attn_mask": mt.zeros(3, 3, dtype=mt.uint8)}, TypeError, "attn_mask of bool or float32, got uint8"),
        ({"key_padding_mask": mt.zeros(1, 1)}, ValueError, "key_padding_mask of shape (1, 3), got (1, 1)"),
        ({"attn_mask": mt.zeros(1, 3)}, ValueError, "attn_mask of shape (3, 3) or (2, 3, 3), got (1, 3)"),
    ],
)
def test_masks_of_whole_numbers_and_of_other_shapes_are_refused(masks, kind, said):
    x = mt.ones(3, 1, 4)
    with pytest.raises(kind, match=re.escape(f"MultiheadAttention: expected {said}")):
        nn.MultiheadAttention(4, 2)(x, x, x, **masks)


@pytest.mark.parametrize("key, value", [((5, 1, 4), (5, 2, 4)), ((5, 2, 4), (4, 2, 4)), ((5, 3, 4), (5, 3, 4))])
def test_attention_refuses_keys_of_another_batch_and_values_of_another_length(key, value):
    with pytest.raises(ValueError, match=r"^MultiheadAttention: expected one N, and one S of key and value"):
        nn.MultiheadAttention(4, 2)(mt.ones(3, 2, 4), mt.ones(key), mt.ones(value))


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_without_keys_gets_zeros_and_gives_finite_gradients(need_weights):
    layer, x = nn.MultiheadAttention(4, 2), mt.randn(3, 2, 4, requires_grad=True)
    output, weights = layer(x, x, x, mt.tensor([[True] * 3, [False] * 3]), need_weights)
    output.sum().backward()
    assert (output[:, 0] == layer.out_proj.bias).all() and x.grad.isfinite().all()
    assert weights is None or not weights[0].any()


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


def test_a_gated_unit_halves_a_dimension_without_elements():
    assert nn.GLU(0)(mt.zeros(0, 4)).shape == (0, 4)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.ReLU("no"), "ReLU: expected inplace to be True or False, got 'no'"),
        (lambda: nn.Dropout("0.5"), "Dropout: expected p to be a number, got '0.5'"),
        (lambda: nn.RNN(2.0, 3), "RNN: expected input_size to be a whole number, got 2.0"),
        (lambda: nn.Softmax("1"), "Softmax: expected dim to be a whole number, got '1'"),
        (lambda: nn.Transformer(4, 2, 1.5), "TransformerEncoder: expected num_layers to be a whole number, got 1.5"),
        (lambda: nn.Linear(3.0, 2), "Linear: expected each length of weight to be a whole number, got 3.0"),
        (lambda: nn.Conv2d("3", 2, 1), "Conv2d: expected in_channels to be a whole number, got '3'"),
        (lambda: nn.BatchNorm1d("3"), "BatchNorm1d: expected num_features to be a whole number, got '3'"),
        (lambda: nn.GroupNorm("2", 4), "GroupNorm: expected num_groups to be a whole number, got '2'"),
    ],
)
def test_an_argument_of_another_kind_is_refused_where_the_layer_is_made(make, match):
    with pytest.raises(TypeError, match=f"^{match}"):
        make()


def test_0_and_1_are_flags_in_constructors_as_in_pytorch():
    assert repr(nn.ReLU(1)) == "ReLU(inplace=True)" and nn.GRU(2, 3, batch_first=0).batch_first is False


def test_a_number_of_numpy_as_an_option_widens_nothing():
    x = mt.tensor([[-1.0, 2.0]])
    assert {nn.ELU(np.float64(0.5))(x).dtype, nn.LayerNorm(2, eps=np.float64(1e-3))(x).dtype} == {mt.float32}
