"""Nets exported to ONNX, run by onnxruntime: the nets of all five reports, and what cannot be exported."""

import importlib
import io
from itertools import count

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from tests.figures.report_nets import CHANNELS

onnx = pytest.importorskip("onnx", reason="onnx, an extra, is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime, an extra, is not installed")

SCRIPTS = ["fully_connected", "weight_sharing", "classify_then_compare", "siamese", "architecture_search"]
NETS = [
    pytest.param(net.build, CHANNELS.get(script, CHANNELS.get(net.name, 2)), id=f"{script}: {net.name}")
    for script in SCRIPTS
    for net in importlib.import_module(script).REPORT.nets
]


def exported(net, *inputs, **options):
    """The file that `net` makes, as something to call with arrays."""
    file = io.BytesIO()
    mt.onnx.export(net, inputs, file, **options)
    session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, arrays)))


def check(net, *inputs, **options):
    """Compare the exported net with `net`, on `inputs` and on others."""
    run = exported(net, *inputs, **options)
    for given in (inputs, [x.flip(0) for x in inputs]):
        with mt.no_grad():
            results = net(*given)
        results = [results] if isinstance(results, mt.Tensor) else results
        for one, other in zip(results, run(*(x.numpy() for x in given)), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(other, one.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build, channels", NETS)
def test_a_net_of_the_reports_computes_the_same_in_onnxruntime_for_any_batch(build, channels):
    mt.manual_seed(0)
    net = build()
    optimizer = mt.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(3):  # trained: the statistics of batch norm have moved
        outputs = net(mt.rand(8, channels, 14, 14))
        loss = sum(x.square().mean() for x in (outputs if isinstance(outputs, tuple) else [outputs]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    run = exported(net, mt.rand(3, channels, 14, 14), input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    assert net.training and all(mt.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
    net.eval()
    for size in (1, 5):
        x = mt.rand(size, channels, 14, 14)
        with mt.no_grad():
            results = net(x)
        for one, other in zip([results] if isinstance(results, mt.Tensor) else results, run(x.numpy()), strict=True):
            np.testing.assert_allclose(other, one.numpy(), rtol=1e-4, atol=1e-5)


class Calls(nn.Module):
    """A net that is one function, with a weight so that there is something to learn."""

    def __init__(self, function):
        super().__init__()
        self.function, self.weight = function, nn.Parameter(mt.randn(4, 6))

    def forward(self, *inputs):
        return self.function(*(x * self.weight for x in inputs))


F = mt.functional
FUNCTIONS = {
    "numbers": lambda x: 2 - x / 3 + x**2 - 1 / (x.abs() + 1),
    "activations": lambda x: F.gelu(x) + F.silu(x) + F.leaky_relu(x) + x.tanh() + x.sigmoid(),
    "functions": lambda x: x.exp().log() + x.abs().sqrt() + x.sin() * x.cos() + x.erf() + x.floor() + (-x).exp().rsqrt(),
    "reductions": lambda x: (x.sum(), x.mean(0), x.sum((0, 1), keepdim=True), x.logsumexp(-1)),
    "indices of extremes": lambda x: (x.argmax(), x.argmin(1), x.argmax(-1, keepdim=True), x.argmax(keepdim=True)),
    "comparisons": lambda x: ((x < 0.1).float(), x >= x.mean(), mt.where(x > 0, x, 0.0), x == -x, x.argmax(1) <= 2),
    "softmaxes": lambda x: (x.softmax(0), x.log_softmax(-1)),
    "shapes": lambda x: (x.T, x.reshape(2, -1), x.unsqueeze(1), x.flatten(), x.permute(1, 0).contiguous()),
    "indices": lambda x: (x[1], x[:, -1], x[..., 1:4], x[::2], x[None, 1:], x.chunk(3, 1)[2], x.unbind(0)[3]),
    "products": lambda x: (x @ x.T, mt.stack([x, x]) @ x.T, mt.cat([x, x * 2], 1)),
    "in place": lambda x: F.relu(x + 1, inplace=True).mul_(2) + x.detach(),
    "integers": lambda x: (x.argmax(1) + 1, x.argmax(1).float() / 2, F.embedding(x.argmax(0), x)),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_operations_compute_the_same_in_onnxruntime(function):
    mt.manual_seed(0)
    check(Calls(function), mt.randn(4, 6))


LAYERS = {
    "convolution": nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
    "same": nn.Conv2d(4, 4, 4, padding="same"),
    "max pool": nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
    "mean pool": nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
    "batch norm": nn.Sequential(nn.BatchNorm2d(4), nn.Dropout(0.5)),
    "in one dimension": nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 3, 5, padding=2), nn.BatchNorm1d(3)),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_layers_compute_the_same_in_onnxruntime(layer):
    check(layer.eval(), mt.randn(3, 4, 9, 9))


def test_a_file_has_the_names_of_inputs_outputs_and_states(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    mt.onnx.export(net, mt.randn(5, 3), tmp_path / "net.onnx", input_names=["x"], output_names=["y"])
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert ([one.name for one in graph.input], [one.name for one in graph.output]) == (["x"], ["y"])
    assert {"0.weight", "0.bias"} == {one.name for one in graph.initializer}
    assert [node.op_type for node in graph.node] == ["Gemm", "Relu", "Identity"]


CALLS = count(5000)


@pytest.mark.parametrize(
    "net, error, said",
    [
        (Calls(lambda x: x.cumsum(0)), NotImplementedError, "there is no translation to ONNX for cumsum"),
        (Calls(lambda x: x.max(1)[0]), NotImplementedError, "for max_along"),
        (Calls(lambda x: x * x.array.mean()), RuntimeError, "numbers that were taken out of tensors"),
        (Calls(lambda x: (x * 0 + next(CALLS)).int()), RuntimeError, "output_0 differs"),  # by 1 of 5000
        (Calls(lambda x: x + mt.randn(4, 6)), RuntimeError, "for inputs other than those given, output_0 differs from"),
        (
            Calls(lambda x: x * x.isfinite().float() * x.sum().item()),
            RuntimeError,
            "output_0 differs from what the net computes",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused_and_writes_nothing(net, error, said, tmp_path):
    with pytest.raises(error, match=said):
        mt.onnx.export(net, mt.randn(4, 6), tmp_path / "net.onnx")
    assert not any(tmp_path.iterdir())


def test_a_size_that_cannot_be_left_open_is_refused():
    net = Calls(lambda x: x.T.reshape(3, 8) + 0)
    with pytest.raises(ValueError, match="dynamic_axes of 0 alone"):
        mt.onnx.export(net, mt.randn(4, 6), io.BytesIO(), input_names=["x"], dynamic_axes={"x": [1]})
    net = type("Turned", (nn.Module,), {"forward": lambda self, x: x.T.reshape(6, -1) + 0})()
    with pytest.raises(RuntimeError, match=r"onnxruntime fails on inputs other than those given. Does it depend on chance"):
        mt.onnx.export(net, mt.randn(4, 6), io.BytesIO(), input_names=["x"], dynamic_axes={"x": [0]})
