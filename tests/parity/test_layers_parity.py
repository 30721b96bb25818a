"""Every module against PyTorch's: state, values, gradients, buffers, starting values, signatures and repr."""

import inspect
import itertools

import numpy as np
import pytest

import layers
import minitorch as mt
from tests.layers.cases import CASES, tensors_of

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),
    pytest.mark.filterwarnings("ignore:size_average and reduce args will be deprecated"),
]

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
STEPS = 4
RATE = 0.05

with_each_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
with_each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def ours_to_numpy(tensor):
    return tensor.detach().numpy()


def assert_close(ours, theirs, dtype, what):
    ours, theirs = ours_to_numpy(ours), theirs.detach().numpy()
    assert ours.dtype == theirs.dtype, what
    assert ours.shape == theirs.shape, what
    if theirs.size:
        error = np.abs(ours - theirs).max()
        assert error <= TOLERANCE[dtype] * max(1.0, np.abs(theirs).max()), f"{what}: {error}"


def assert_same_state(ours, theirs, dtype):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs)
    for key in theirs:
        assert_close(ours[key], theirs[key], dtype, key)


def both(make, dtype):
    """The module in both frameworks, ours with PyTorch's weights, which are the same in each run."""
    torch.manual_seed(0)
    ours = make(layers, lambda values: mt.tensor(values, dtype=np.dtype(dtype))).to(np.dtype(dtype))
    theirs = make(torch.nn, lambda values: torch.tensor(values, dtype=getattr(torch, dtype))).to(getattr(torch, dtype))
    state = {key: mt.from_numpy(value.numpy().copy()) for key, value in theirs.state_dict().items()}
    assert {k: (v.shape, v.dtype) for k, v in ours.state_dict().items()} == {k: (v.shape, v.dtype) for k, v in state.items()}
    ours.load_state_dict(state)
    return ours, theirs


def fed(arrays, dtype):
    """The arrays as tensors of both frameworks; floats require gradients."""
    arrays = [array.astype(dtype) if array.dtype.kind == "f" else array for array in arrays]
    ours = [mt.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    theirs = [torch.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    return ours, theirs


def step(ours, theirs, arrays, dtype, rng):
    """One forward, backward and update on both, every value and gradient compared."""
    our_inputs, their_inputs = fed(arrays, dtype)
    # clones: PyTorch's in-place modules refuse leaves
    our_outputs = tensors_of(ours(*(x.clone() for x in our_inputs)))
    their_outputs = tensors_of(theirs(*(x.clone() for x in their_inputs)))
    for mine, other in zip(our_outputs, their_outputs, strict=True):
        assert_close(mine, other, dtype, "output")
    pairs = [(mine, other) for mine, other in zip(our_outputs, their_outputs) if other.requires_grad]
    cotangents = [np.asarray(rng.standard_normal(other.shape)).astype(dtype) for _, other in pairs]
    ours.zero_grad()
    theirs.zero_grad()
    if pairs:
        mt.autograd.backward([mine for mine, _ in pairs], [mt.tensor(cotangent) for cotangent in cotangents])
        torch.autograd.backward([other for _, other in pairs], [torch.tensor(cotangent) for cotangent in cotangents])
    for i, (mine, other) in enumerate(zip(our_inputs, their_inputs)):
        assert (mine.grad is None) == (other.grad is None), f"gradient of input {i}"
        if other.grad is not None:
            assert_close(mine.grad, other.grad, dtype, f"gradient of input {i}")
    for (name, mine), (_, other) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert_close(mine.grad, other.grad, dtype, f"gradient of {name}")
        with mt.no_grad(), torch.no_grad():
            mine.sub_(mine.grad * RATE)
            other.sub_(other.grad * RATE)


@with_each_dtype
@with_each_case
def test_a_module_trains_and_evaluates_as_pytorch_does(case, dtype):
    if case.kind.startswith("Transformer") and dtype == "float32":
        pytest.skip("amplifies rounding: measured against float64 below")
    ours, theirs = both(case.make, dtype)
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        step(ours, theirs, case.inputs(rng), dtype, rng)
        assert_same_state(ours, theirs, dtype)
    ours.eval()
    theirs.eval()
    step(ours, theirs, case.inputs(rng), dtype, rng)
    assert_same_state(ours, theirs, dtype)


@with_each_case
def test_the_repr_is_pytorch_s(case):
    ours, theirs = both(case.make, "float32")
    assert repr(ours) == repr(theirs)


# ---- whole nets ----------------------------------------------------------------------------------------------------------


def siamese(nn):
    """A net with a branch used twice, nested containers and every way in which a module can hold another."""

    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.MaxPool2d(2), nn.ReLU(inplace=True))
            self.blocks = nn.ModuleList([nn.Linear(288, 20), nn.Linear(20, 20), nn.Linear(20, 20), nn.LayerNorm(20)])
            self.heads = nn.ModuleDict({"digit": nn.Linear(20, 10), "off": nn.Identity()})

        def forward(self, x):
            x = self.features(x).flatten(1)
            for block in self.blocks:
                x = block(x).relu() if isinstance(block, nn.Linear) else block(x)
            return self.heads["digit"](x)

    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = Branch()
            self.twin = self.branch
            self.compare = nn.Sequential(nn.Linear(20, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.0), nn.Linear(8, 2))

        def forward(self, x):
            first, second = self.branch(x[:, 0:1]), self.twin(x[:, 1:2])
            cat = torch.cat if nn is torch.nn else mt.cat
            return self.compare(cat([first, second], 1))

    return Siamese()


def residual(nn):
    """A net with skip connections, a grouped convolution and average pooling."""

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.a = nn.Conv2d(channels, channels, 3, padding="same", bias=False, groups=2)
            self.norm = nn.GroupNorm(2, channels)
            self.b = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1))
            self.activation = nn.LeakyReLU(0.1)

        def forward(self, x):
            return self.activation(x + self.b(self.activation(self.norm(self.a(x)))))

    return nn.Sequential(
        nn.Conv2d(2, 6, 5, stride=2, padding=2),
        Block(6),
        Block(6),
        nn.ConvTranspose2d(6, 4, 2, 2),
        nn.ELU(),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(),
        nn.Linear(24, 2),
    )


with_each_net = pytest.mark.parametrize("net", [siamese, residual])


@with_each_net
def test_a_net_of_many_modules_trains_and_evaluates_as_pytorch_does(net):
    ours, theirs = both(lambda nn, tensor: net(nn), "float64")
    rng = np.random.default_rng(1)
    for _ in range(STEPS):
        step(ours, theirs, (rng.standard_normal((5, 2, 14, 14)),), "float64", rng)
    assert_same_state(ours, theirs, "float64")
    step(ours.eval(), theirs.eval(), (rng.standard_normal((5, 2, 14, 14)),), "float64", rng)


def gradient_errors(net, seed):
    """How far our and PyTorch's float32 gradients are from PyTorch's float64 ones, relative to the largest of a parameter."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    ours, theirs = both(lambda nn, tensor: net(nn), "float32")
    truth = net(torch.nn).double()
    truth.load_state_dict(theirs.state_dict())
    x, cotangent = rng.standard_normal((16, 2, 14, 14)), rng.standard_normal((16, 2))
    truth(torch.tensor(x.astype("f4")).double()).backward(torch.tensor(cotangent.astype("f4")).double())
    theirs(torch.tensor(x, dtype=torch.float32)).backward(torch.tensor(cotangent, dtype=torch.float32))
    ours(mt.tensor(x, dtype=mt.float32)).backward(mt.tensor(cotangent, dtype=mt.float32))
    errors = []
    for mine, other, true in zip(ours.parameters(), theirs.parameters(), truth.parameters(), strict=True):
        true = true.grad.numpy()
        largest = max(1.0, np.abs(true).max())
        errors.append([np.abs(grad.numpy() - true).max() / largest for grad in (mine.grad, other.grad)])
    return np.max(errors, axis=0)


@with_each_net
def test_a_net_in_float32_is_as_exact_as_pytorch_s(net):
    # a whole net amplifies rounding, so two correct ones differ by more than 1e-5; both are measured against float64 instead
    ours, theirs = np.mean([gradient_errors(net, seed) for seed in range(5)], axis=0)
    assert ours <= max(2 * theirs, 1e-6)


@with_each_net
def test_the_repr_of_a_net_is_pytorch_s(net):
    assert repr(net(layers)) == repr(net(torch.nn))


@with_each_net
def test_the_tree_is_walked_in_pytorch_s_order(net):
    ours, theirs = net(layers), net(torch.nn)
    for walk in ("named_modules", "named_children", "named_parameters", "named_buffers"):
        assert [name for name, _ in getattr(ours, walk)()] == [name for name, _ in getattr(theirs, walk)()]
    for walk in ("named_modules", "named_parameters", "named_buffers"):
        assert [name for name, _ in getattr(ours, walk)(remove_duplicate=False)] == [
            name for name, _ in getattr(theirs, walk)(remove_duplicate=False)
        ]
    assert list(ours.state_dict(prefix="net.")) == list(theirs.state_dict(prefix="net."))


@with_each_net
def test_pytorch_loads_our_state(net):
    ours, theirs = net(layers).double(), net(torch.nn).double()
    theirs.load_state_dict({key: torch.from_numpy(value.numpy()) for key, value in ours.state_dict().items()})
    x = np.random.default_rng(2).standard_normal((3, 2, 14, 14))
    assert_close(ours.eval()(mt.tensor(x)), theirs.eval()(torch.tensor(x)), "float64", "output")


def test_hooks_see_and_change_what_pytorch_s_do():
    outputs = []
    for nn, lib in ((layers, mt), (torch.nn, torch)):
        module = nn.ELU()
        module.register_forward_pre_hook(lambda module, args: args[0] * 2)
        module.register_forward_pre_hook(lambda module, args: (args[0] + 1,), prepend=True)
        module.register_forward_pre_hook(lambda module, args, kwargs: (args, kwargs), with_kwargs=True)
        module.register_forward_hook(lambda module, args, output: output - args[0])
        module.register_forward_hook(lambda module, args, kwargs, output: output * 3, with_kwargs=True)
        outputs.append(module(lib.tensor([-2.0, 0.5])).tolist())
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-6)


# ---- starting values -----------------------------------------------------------------------------------------------------


@pytest.fixture
def draws(monkeypatch):
    """What is asked of the random generators: {framework: [(distribution, shape, its two numbers)]}."""
    asked = {"ours": [], "theirs": []}

    def watch(framework, tensor_class, name):
        original = getattr(tensor_class, name)

        def watched(self, a=0.0, b=1.0, **kwargs):
            asked[framework].append((name, tuple(self.shape), a, b))
            return original(self, a, b, **kwargs)

        monkeypatch.setattr(tensor_class, name, watched)

    for name in ("uniform_", "normal_"):
        watch("ours", mt.Tensor, name)
        watch("theirs", torch.Tensor, name)
    return asked


def assert_same_draws(draws):
    assert draws["theirs"]
    for ours, theirs in zip(draws["ours"], draws["theirs"], strict=True):
        assert ours[:2] == theirs[:2]
        assert ours[2:] == pytest.approx(theirs[2:], rel=1e-12)


SHAPES = [(3, 5), (1, 1), (7, 2), (4, 3, 5), (8, 4, 3, 3), (2, 6, 1, 7), (64, 32, 3, 3)]
# fmt: off
GAINS = [
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid", "tanh",
    "relu", "leaky_relu", "selu",
]
# fmt: on


@pytest.mark.parametrize("shape", SHAPES)
def test_xavier_and_kaiming_draw_from_pytorch_s_distributions(draws, shape):
    for init, tensor in ((layers.init, mt.empty(shape)), (torch.nn.init, torch.empty(shape))):
        for rule in (init.xavier_uniform_, init.xavier_normal_):
            rule(tensor)
            rule(tensor, gain=1.7)
        for rule in (init.kaiming_uniform_, init.kaiming_normal_):
            rule(tensor)
            for nonlinearity in GAINS:
                for mode in ("fan_in", "fan_out"):
                    rule(tensor, 0.3, mode, nonlinearity)
        init.uniform_(tensor, -2.0, 3.0)
        init.normal_(tensor, 1.0, 0.1)
    assert_same_draws(draws)


@pytest.mark.parametrize("nonlinearity", GAINS)
def test_gains_are_pytorch_s(nonlinearity):
    assert layers.init.calculate_gain(nonlinearity) == pytest.approx(torch.nn.init.calculate_gain(nonlinearity), rel=1e-15)


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)])
def test_constants_are_pytorch_s(shape):
    for name in ("zeros_", "ones_", "eye_"):
        ours, theirs = mt.empty(shape), torch.empty(shape)
        assert getattr(layers.init, name)(ours) is ours
        np.testing.assert_array_equal(ours.numpy(), getattr(torch.nn.init, name)(theirs).numpy())


# fmt: off
LEARNING = [
    lambda nn: nn.Linear(7, 3), lambda nn: nn.Linear(196, 320, bias=False), lambda nn: nn.Linear(0, 3),
    lambda nn: nn.Conv2d(1, 16, 5), lambda nn: nn.Conv2d(6, 4, (3, 2), groups=2), lambda nn: nn.Conv2d(2, 2, 1, bias=False),
    lambda nn: nn.ConvTranspose2d(6, 4, (3, 2), groups=2), lambda nn: nn.ConvTranspose2d(3, 8, 2),
    lambda nn: nn.Embedding(11, 4), lambda nn: nn.Embedding(11, 4, padding_idx=3),
]
# fmt: on


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors is a no-op")  # PyTorch's, for Linear(0, 3)
@pytest.mark.parametrize("make", LEARNING)
def test_layers_start_from_pytorch_s_distributions(draws, make):
    make(layers)
    make(torch.nn)
    # a draw of nothing is no draw, and PyTorch leaves it out
    draws["ours"] = [draw for draw in draws["ours"] if 0 not in draw[1]]
    assert_same_draws(draws)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.BatchNorm2d(5),
        lambda nn: nn.LayerNorm((2, 3)),
        lambda nn: nn.GroupNorm(2, 4),
    ],
)
def test_normalisations_start_as_pytorch_s_do(make):
    assert_same_state(make(layers), make(torch.nn), "float32")


# ---- names ---------------------------------------------------------------------------------------------------------------


def arguments(function, kinds):
    parameters = list(inspect.signature(function).parameters.values())
    return {p.name: p.default for p in parameters if p.kind in kinds and p.name != "self"}


POSITIONAL = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
NAMED = (*POSITIONAL, inspect.Parameter.KEYWORD_ONLY)


def assert_signature_is_pytorch_s(ours, theirs):
    """Ours may have fewer arguments than PyTorch's; a positional one stands where PyTorch's stands, defaults are equal."""
    in_order = list(arguments(theirs, POSITIONAL))
    assert in_order[: len(arguments(ours, POSITIONAL))] == list(arguments(ours, POSITIONAL))
    known = arguments(theirs, NAMED)
    mine = arguments(ours, NAMED)
    assert mine == {name: known.get(name, "unknown to PyTorch") for name in mine}


OWN_ARGUMENTS = {"ContrastiveLoss", "Parameter", "RNN", "LSTM", "GRU"}  # not in PyTorch, hidden in C++, or *args there
OWN_ARGUMENTS |= {"Transformer", "TransformerDecoderLayer", "TransformerEncoderLayer"}  # their default is our relu
MODULES = [name for name in layers.__all__ if inspect.isclass(getattr(layers, name)) and name not in OWN_ARGUMENTS]
ADDED = {"torch_default_"}
INITS = [
    name
    for name, value in vars(layers.init).items()
    if inspect.isfunction(value)
    and value.__module__ == "layers.init"
    and name == value.__name__
    and name[0] != "_"
    and name not in ADDED
]
# fmt: off
METHODS = [
    "add_module", "apply", "buffers", "children", "cpu", "double", "eval", "extra_repr", "float", "get_buffer", "get_parameter",
    "get_submodule", "half", "load_state_dict", "modules", "named_buffers", "named_children", "named_modules",
    "named_parameters", "parameters", "register_buffer", "register_forward_hook", "register_forward_pre_hook",
    "register_module", "register_parameter", "requires_grad_", "state_dict", "train", "type", "zero_grad",
]
# fmt: on


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_made_with_pytorch_s_arguments(name):
    assert_signature_is_pytorch_s(getattr(layers, name).__init__, getattr(torch.nn, name).__init__)


def test_a_module_is_of_no_kind_of_which_pytorch_s_is_not():
    """`isinstance(module, nn.Linear)` and the like choose what is initialised, frozen, pruned ..."""
    names = [name for name in layers.__all__ if inspect.isclass(getattr(torch.nn, name, None)) and name[:4] != "Lazy"]
    for one, other in itertools.permutations(names, 2):
        if issubclass(getattr(layers, one), getattr(layers, other)):
            assert issubclass(getattr(torch.nn, one), getattr(torch.nn, other)), f"{one} is a {other}"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_pytorch_s_arguments(name):
    assert_signature_is_pytorch_s(getattr(layers.Module, name), getattr(torch.nn.Module, name))


@pytest.mark.parametrize("name", INITS)
def test_an_init_function_takes_pytorch_s_arguments(name):
    assert_signature_is_pytorch_s(getattr(layers.init, name), getattr(torch.nn.init, name))


@pytest.mark.parametrize("name", ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"])
def test_a_function_on_parameters_takes_pytorch_s_arguments(name):
    assert_signature_is_pytorch_s(getattr(layers.utils, name), getattr(torch.nn.utils, name))


# ---- packed sequences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("lengths", [[4, 3, 1], [2, 4, 4]])
def test_packed_sequences_are_pytorch_s(name, lengths):
    ours, theirs = both(lambda nn, tensor: getattr(nn, name)(3, 2, num_layers=2, bidirectional=True), "float64")
    padded = np.random.default_rng(0).standard_normal((3, 4, 3))
    found = []
    for nn, lib, net in ((layers, mt, ours), (torch.nn, torch, theirs)):
        x = lib.tensor(padded, requires_grad=True)
        rnn = nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lib.tensor(lengths), batch_first=True, enforce_sorted=False)
        output, last = net(packed)
        back, counts = rnn.pad_packed_sequence(output, batch_first=True, padding_value=-1.0)
        states = [last] if name != "LSTM" else list(last)
        (back.square().sum() + sum((state * (k + 1)).sum() for k, state in enumerate(states))).backward()
        fields = [getattr(packed, field) for field in ("data", "batch_sizes", "sorted_indices", "unsorted_indices")]
        found.append(
            [t.detach().numpy() for t in (*fields, back, counts, *states, x.grad, *(p.grad for p in net.parameters()))]
        )
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-10)
        assert mine.dtype == other.dtype


@pytest.mark.parametrize("name", ["Encoder", "Decoder"])
def test_a_deep_transformer_is_pytorch_s(name):
    """Several layers, which amplify rounding, so in float64 alone."""

    def make(nn, tensor):
        return getattr(nn, f"Transformer{name}")(getattr(nn, f"Transformer{name}Layer")(4, 2, 8, 0.0), 3)

    ours, theirs = both(make, "float64")
    rng = np.random.default_rng(0)
    for _ in range(2):
        step(ours, theirs, tuple(rng.standard_normal((5, 2, 4)) for _ in range(1 + (name == "Decoder"))), "float64", rng)


def test_a_transformer_in_float32_is_as_exact_as_pytorch_s():
    errors = []
    for seed in range(5):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        x, cotangent = (rng.standard_normal((2, 5, 16)).astype("f4") for _ in range(2))
        ours, theirs = both(lambda nn, tensor: nn.TransformerEncoderLayer(16, 2, 8, 0.0, norm_first=True), "float32")
        truth = torch.nn.TransformerEncoderLayer(16, 2, 8, 0.0, norm_first=True).double()
        truth.load_state_dict(theirs.state_dict())
        grads = []
        for net, given in ((truth, torch.tensor(x).double()), (theirs, torch.tensor(x)), (ours, mt.tensor(x))):
            given.requires_grad_(True)
            weights = torch.tensor(cotangent).to(given.dtype) if net is not ours else mt.tensor(cotangent)
            net(given).backward(weights)
            grads.append(given.grad.numpy())
        errors.append([np.abs(grad - grads[0]).max() / np.abs(grads[0]).max() for grad in grads[1:]])
    theirs, ours = np.mean(errors, axis=0)
    assert ours <= max(2 * theirs, 1e-6)


@pytest.mark.parametrize("kind", ["TransformerEncoderLayer", "TransformerDecoderLayer"])
def test_an_activation_with_parameters_has_pytorchs_place_among_them(kind):
    found = [
        [name for name, _ in getattr(m, kind)(4, 2, 8, activation=m.PReLU()).named_parameters()] for m in (layers, torch.nn)
    ]
    assert found[0] == found[1]
