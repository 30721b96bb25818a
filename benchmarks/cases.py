"""The operations and small nets that `ops` measures, by name: functions of an `Engine` that return what one call does."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Shape = int | tuple[int, ...]
Call = Callable[[], Any]


class Engine:
    """minitorch or PyTorch on a device, by names that both have: the module itself as `T`, F, nn and optim.

    All numbers come from one random sequence. `images` have the memory order that each framework's own layers give them.
    """

    def __init__(self, peer: str, device: str) -> None:
        names = ("torch.nn", "torch.nn.functional") if peer == "torch" else ("layers", "minitorch.functional")
        self.T, self.nn, self.F, self.optim = (importlib.import_module(name) for name in (peer, *names, f"{peer}.optim"))
        self.device, self.channels_last, self.random = device, peer == "minitorch", np.random.default_rng(0)
        if peer == "torch":
            self.T.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
            self.T.backends.cudnn.allow_tf32 = False  # the same arithmetic as minitorch's
        self.T.manual_seed(0)

    def tensor(self, array: np.ndarray) -> Any:
        return self.T.from_numpy(array).to(self.device)

    def normal(self, *shape: int) -> Any:
        return self.tensor(self.random.standard_normal(shape, np.float32))

    def images(self, *shape: int) -> Any:
        array = self.random.standard_normal(shape, np.float32)
        if len(shape) == 4 and self.channels_last:
            array = np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        return self.tensor(array)

    def integers(self, high: int, *shape: int) -> Any:
        return self.tensor(self.random.integers(0, high, shape))

    def later(self, length: int) -> Any:
        """The mask, (length, length), of the later places of a sequence, which causal attention leaves out."""
        return self.tensor(np.triu(np.ones((length, length), bool), 1))


Case = Callable[[Engine], Call]


def of(function: Callable[..., Any], *shapes: Shape, given: Callable[[Engine], Sequence[Any]] = lambda e: ()) -> Case:
    """Forward and backward of `function(engine, *inputs, *given(engine))`; the inputs have these shapes and get gradients."""

    def build(e: Engine) -> Call:
        inputs = [e.normal(*((shape,) if isinstance(shape, int) else shape)).requires_grad_() for shape in shapes]
        constants = given(e)
        return backward(lambda: function(e, *inputs, *constants), inputs, e.normal)

    return build


def layer(make: Callable[[Any], Any], *shape: int, dx: bool = True) -> Case:
    """Forward and backward of the layer `make(nn)`, with the gradients of its parameters and, if `dx`, of its input."""

    def build(e: Engine) -> Call:
        model, x = make(e.nn).to(e.device), e.images(*shape).requires_grad_(dx)
        forward = (lambda: model(x)[0]) if isinstance(model(x), tuple) else lambda: model(x)
        return backward(forward, [x, *model.parameters()], e.images)

    return build


def backward(forward: Call, leaves: Sequence[Any], draw: Callable[..., Any]) -> Call:
    """A call that forgets the gradients of `leaves`, computes `forward()` and goes back with a gradient that was drawn once."""
    gradient = draw(*forward().shape)

    def call() -> None:
        for leaf in leaves:
            leaf.grad = None
        forward().backward(gradient)

    return call


def update(rule: str, *shapes: tuple[int, ...], **options: float) -> Case:
    """An optimizer's step over parameters of these shapes, which have gradients already."""

    def build(e: Engine) -> Call:
        parameters = [e.normal(*shape).requires_grad_() for shape in shapes]
        for one in parameters:
            one.grad = e.normal(*one.shape)
        return getattr(e.optim, rule)(parameters, lr=1e-3, **options).step

    return build


def training(
    net: Callable[[Engine], Any], data: Callable[[Engine], Any], labels: Sequence[int], rule: str, **options: float
) -> Case:
    """A net's training step: forward, cross-entropy, backward, update. `labels` are the number of classes and the shape."""

    def build(e: Engine) -> Call:
        model, inputs, targets = net(e).to(e.device), data(e), e.integers(*labels).reshape(-1)
        optimizer = getattr(e.optim, rule)(model.parameters(), **options)

        def call() -> None:
            optimizer.zero_grad()
            e.F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()

        return call

    return build


def attention(e: Engine, q: Any, k: Any, v: Any, later: Any) -> Any:
    """Causal attention written out."""
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return e.F.softmax(scores.masked_fill(later, float("-inf")), -1) @ v


def gpt(e: Engine, length: int, width: int, heads: int, letters: int, blocks: int) -> Any:
    """A small GPT; its scores are (batch * length, letters)."""
    nn, later, places = e.nn, e.later(length), e.tensor(np.arange(length))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.dense = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            qkv = self.qkv(self.before(x)).reshape(-1, length, 3, heads, width // heads)
            seen = attention(e, *(qkv[:, :, place].transpose(1, 2) for place in range(3)), later)
            x = x + self.out(seen.transpose(1, 2).reshape(-1, length, width))
            return x + self.dense(x)

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
            self.blocks, self.head = nn.Sequential(*(Block() for _ in range(blocks))), nn.Linear(width, letters)

        def forward(self, text: Any) -> Any:
            return self.head(self.blocks(self.letters(text) + self.places(places))).reshape(-1, letters)

    return GPT()


def cifar_net(e: Engine) -> Any:
    """Four convolutions with batch norm, 32 to 128 channels, for images of 32x32."""
    nn, parts = e.nn, []
    for before, after, pool in [(3, 32, 1), (32, 64, 2), (64, 128, 2), (128, 128, 4)]:
        parts += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()] + [nn.MaxPool2d(pool)] * (pool > 1)
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(512, 10))


def mnist_net(e: Engine) -> Any:
    """The net of PyTorch's MNIST example."""
    nn = e.nn
    convolutions = nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def heads(batch: int, count: int, length: int, width: int) -> Case:
    return of(attention, *[(batch, count, length, width)] * 3, given=lambda e: [e.later(length)])


def loss(batch: int, classes: int) -> Case:
    return of(lambda e, x, t: e.F.cross_entropy(x, t), (batch, classes), given=lambda e: [e.integers(classes, batch)])


# fmt: off
TABLE: dict[str, Case] = {
    "add 10M": of(lambda e, a, b: a + b, 10_000_000, 10_000_000),
    "mul 10M": of(lambda e, a, b: a * b, 10_000_000, 10_000_000),
    "mul (4000,2500)x(2500)": of(lambda e, a, b: a * b, (4000, 2500), 2500),
    "exp 10M": of(lambda e, x: x.exp(), 10_000_000),
    "tanh 4M": of(lambda e, x: x.tanh(), 4_000_000),
    "sigmoid 4M": of(lambda e, x: x.sigmoid(), 4_000_000),
    "relu 10M": of(lambda e, x: e.F.relu(x), 10_000_000),
    "gelu 4M": of(lambda e, x: e.F.gelu(x), 4_000_000),
    "silu 4M": of(lambda e, x: e.F.silu(x), 4_000_000),
    "sin 4M": of(lambda e, x: x.sin(), 4_000_000),
    "logsigmoid 1M": of(lambda e, x: e.F.logsigmoid(x), 1_000_000),
    "leaky_relu 4M": of(lambda e, x: e.F.leaky_relu(x, 0.01), 4_000_000),
    "x**3 4M": of(lambda e, x: x**3, 4_000_000),
    "clamp 4M": of(lambda e, x: x.clamp(-1, 1), 4_000_000),
    "dropout 4M": of(lambda e, x: e.F.dropout(x, 0.2), 4_000_000),
    "where 4M": of(lambda e, x: e.T.where(x > 0, x, x * 0.1), 4_000_000),
    "chain (x*2+1).relu()*x 4M": of(lambda e, x: e.F.relu(x * 2 + 1) * x, 4_000_000),
    "randn 4M": lambda e: lambda: e.T.randn(4_000_000, device=e.device),
    "sum all 10M": of(lambda e, x: x.sum(), 10_000_000),
    "sum dim0 (3000,3000)": of(lambda e, x: x.sum(0), (3000, 3000)),
    "sum dim1 (3000,3000)": of(lambda e, x: x.sum(1), (3000, 3000)),
    "sum dim1 (100,3000,30)": of(lambda e, x: x.sum(1), (100, 3000, 30)),
    "mean (0,2,3) (32,64,56,56)": of(lambda e, x: x.mean((0, 2, 3)), (32, 64, 56, 56)),
    "max dim1 (3000,3000)": of(lambda e, x: x.max(1)[0], (3000, 3000)),
    "amax dim0 (3000,3000)": of(lambda e, x: x.amax(0), (3000, 3000)),
    "var dim1 (3000,3000)": of(lambda e, x: x.var(1), (3000, 3000)),
    "norm all 4M": of(lambda e, x: (x * x).sum().sqrt(), 4_000_000),
    "cumsum dim0 (3000,3000)": of(lambda e, x: x.cumsum(0), (3000, 3000)),
    "cumsum dim1 (3000,3000)": of(lambda e, x: x.cumsum(1), (3000, 3000)),
    "logsumexp dim1 (1000,3000)": of(lambda e, x: x.logsumexp(1), (1000, 3000)),
    "softmax (64,50000)": of(lambda e, x: e.F.softmax(x, 1), (64, 50_000)),
    "cross_entropy (64,50000)": loss(64, 50_000),
    "cross_entropy (4096,1000)": loss(4096, 1000),
    "cross_entropy (100,10)": loss(100, 10),
    "embedding 50k x256, 4096 ids": of(
        lambda e, w, i: e.F.embedding(i, w), (50_000, 256), given=lambda e: [e.integers(50_000, 32, 128)]),
    "index rows x[i] 100k of (100k,64)": of(
        lambda e, x, i: x[i], (100_000, 64), given=lambda e: [e.integers(100_000, 100_000)]),
    "x[mask] 4M": of(lambda e, x, mask: x[mask], 4_000_000, given=lambda e: [e.normal(4_000_000) > 0]),
    "gather dim1 (4096,1000)<-100": of(
        lambda e, x, i: x.gather(1, i), (4096, 1000), given=lambda e: [e.integers(1000, 4096, 100)]),
    "cat 8x dim1 (1000,1000)": of(lambda e, x: e.T.cat([x] * 8, 1), (1000, 1000)),
    "slice x[:,1:] (3000,3000)": of(lambda e, x: x[:, 1:], (3000, 3000)),
    "transpose contiguous (3000,3000)": of(lambda e, x: x.transpose(0, 1).contiguous(), (3000, 3000)),
    "bmm (96,128,32)x(96,32,128)": of(lambda e, a, b: a @ b, (96, 128, 32), (96, 32, 128)),
    "matmul 1024^3": of(lambda e, a, b: a @ b, (1024, 1024), (1024, 1024)),
    "matmul (8,4,64,16)x(8,4,16,64)": of(lambda e, a, b: a @ b, (8, 4, 64, 16), (8, 4, 16, 64)),
    "causal attention B16 H6 L128 D64": heads(16, 6, 128, 64),
    "causal attention B8 H4 L32 D16": heads(8, 4, 32, 16),
    "layernorm (2048,384)": layer(lambda nn: nn.LayerNorm(384), 2048, 384),
    "batchnorm2d (32,64,56,56)": layer(lambda nn: nn.BatchNorm2d(64), 32, 64, 56, 56),
    "batchnorm2d (25,16,14,14)": layer(lambda nn: nn.BatchNorm2d(16), 25, 16, 14, 14),
    "batchnorm2d (10,16,14,14)": layer(lambda nn: nn.BatchNorm2d(16), 10, 16, 14, 14),
    "batchnorm1d (100,200)": layer(lambda nn: nn.BatchNorm1d(200), 100, 200),
    "batchnorm1d (100,50)": layer(lambda nn: nn.BatchNorm1d(50), 100, 50),
    "groupnorm8 (16,64,32,32)": layer(lambda nn: nn.GroupNorm(8, 64), 16, 64, 32, 32),
    "linear (256,4096)->4096": layer(lambda nn: nn.Linear(4096, 4096), 256, 4096),
    "linear (2048,384)->1536": layer(lambda nn: nn.Linear(384, 1536), 2048, 384),
    "linear (1,1024)->1024": layer(lambda nn: nn.Linear(1024, 1024), 1, 1024),
    "linear (32,16)->16": layer(lambda nn: nn.Linear(16, 16), 32, 16),
    "linear (100,256)->200": layer(lambda nn: nn.Linear(256, 200), 100, 256),
    "linear (100,200)->100": layer(lambda nn: nn.Linear(200, 100), 100, 200),
    "linear (100,20)->150": layer(lambda nn: nn.Linear(20, 150), 100, 20),
    "conv3 64->64 (8,56,56)": layer(lambda nn: nn.Conv2d(64, 64, 3, padding=1), 8, 64, 56, 56),
    "conv3 128->128 (16,28,28)": layer(lambda nn: nn.Conv2d(128, 128, 3, padding=1), 16, 128, 28, 28),
    "conv3 256->256 (16,14,14)": layer(lambda nn: nn.Conv2d(256, 256, 3, padding=1), 16, 256, 14, 14),
    "conv3 512->512 (8,7,7)": layer(lambda nn: nn.Conv2d(512, 512, 3, padding=1), 8, 512, 7, 7),
    "conv3 3->32 (8,64,64) no dx": layer(lambda nn: nn.Conv2d(3, 32, 3, padding=1), 8, 3, 64, 64, dx=False),
    "conv3 1->32 (100,14,14) no dx": layer(lambda nn: nn.Conv2d(1, 32, 3), 100, 1, 14, 14, dx=False),
    "conv3 32->64 (100,6,6)": layer(lambda nn: nn.Conv2d(32, 64, 3), 100, 32, 6, 6),
    "conv3 192->128 (10,3,3)": layer(lambda nn: nn.Conv2d(192, 128, 3, padding=1), 10, 192, 3, 3),
    "conv3 128->128 (10,3,3)": layer(lambda nn: nn.Conv2d(128, 128, 3, padding=1), 10, 128, 3, 3),
    "conv5 1->16 (25,14,14) no dx": layer(lambda nn: nn.Conv2d(1, 16, 5, padding=2), 25, 1, 14, 14, dx=False),
    "conv5 16->32 (25,7,7)": layer(lambda nn: nn.Conv2d(16, 32, 5, padding=2), 25, 16, 7, 7),
    "conv7 16->16 (10,14,14)": layer(lambda nn: nn.Conv2d(16, 16, 7, padding=3), 10, 16, 14, 14),
    "conv7 s2 3->64 (4,224,224) no dx": layer(lambda nn: nn.Conv2d(3, 64, 7, stride=2, padding=3), 4, 3, 224, 224, dx=False),
    "conv1 256->64 (4,56,56)": layer(lambda nn: nn.Conv2d(256, 64, 1), 4, 256, 56, 56),
    "depthwise3 128 (8,28,28)": layer(lambda nn: nn.Conv2d(128, 128, 3, padding=1, groups=128), 8, 128, 28, 28),
    "conv_transpose4 s2 64->32 (8,16,16)": layer(lambda nn: nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1), 8, 64, 16, 16),
    "maxpool3 s2 p1 (4,64,112,112)": layer(lambda nn: nn.MaxPool2d(3, 2, 1), 4, 64, 112, 112),
    "maxpool2 (64,64,32,32)": layer(lambda nn: nn.MaxPool2d(2), 64, 64, 32, 32),
    "maxpool2 (100,32,12,12)": layer(lambda nn: nn.MaxPool2d(2), 100, 32, 12, 12),
    "maxpool2 (100,64,4,4)": layer(lambda nn: nn.MaxPool2d(2), 100, 64, 4, 4),
    "avgpool7 (16,512,7,7)": layer(lambda nn: nn.AvgPool2d(7), 16, 512, 7, 7),
    "relu (100,32,6,6)": layer(lambda nn: nn.ReLU(), 100, 32, 6, 6),
    "relu (100,200)": layer(lambda nn: nn.ReLU(), 100, 200),
    "dropout (100,200)": layer(lambda nn: nn.Dropout(0.2), 100, 200),
    "softmax (100,10)": layer(lambda nn: nn.Softmax(1), 100, 10),
    "Adam step 4M": update("Adam", *[(1000, 1000)] * 4),
    "Adam step 50x(64,64)": update("Adam", *[(64, 64)] * 50),
    "SGD momentum step 4M": update("SGD", *[(1000, 1000)] * 4, momentum=0.9),
}
NETS: dict[str, Case] = {
    "GPT toy step B16 L64 D128 H4 V65 4 blocks": training(
        lambda e: gpt(e, 64, 128, 4, 65, 4), lambda e: e.integers(65, 16, 64), (65, 16, 64), "Adam", lr=1e-3),
    "GPT tiny step B8 L16 D32 H4 V27 2 blocks": training(
        lambda e: gpt(e, 16, 32, 4, 27, 2), lambda e: e.integers(27, 8, 16), (27, 8, 16), "Adam", lr=1e-3),
    "CIFAR convnet step B32": training(cifar_net, lambda e: e.normal(32, 3, 32, 32), (10, 32), "SGD", lr=0.01, momentum=0.9),
    "MNIST CNN step B64": training(mnist_net, lambda e: e.normal(64, 1, 28, 28), (10, 64), "Adam"),
    "MNIST MLP 784-128-10 step B64": training(
        lambda e: e.nn.Sequential(e.nn.Flatten(), e.nn.Linear(784, 128), e.nn.ReLU(), e.nn.Linear(128, 10)),
        lambda e: e.normal(64, 1, 28, 28), (10, 64), "Adam"),
}
TEACHING: dict[str, Case] = {
    "LSTM 64->128, 50 steps of 32": layer(lambda nn: nn.LSTM(64, 128), 50, 32, 64),
    "GRU 64->128, 50 steps of 32": layer(lambda nn: nn.GRU(64, 128), 50, 32, 64),
    "scaled_dot_product_attention B16 H6 L128 D64": of(
        lambda e, q, k, v: e.F.scaled_dot_product_attention(q, k, v, is_causal=True), *[(16, 6, 128, 64)] * 3),
    "TransformerEncoderLayer 128, 4 heads (64,16)": layer(lambda nn: nn.TransformerEncoderLayer(128, 4, 512), 64, 16, 128),
    "sort dim1 (1000,3000)": of(lambda e, x: x.sort(1)[0], (1000, 3000)),
    "topk10 dim1 (1000,3000)": of(lambda e, x: x.topk(10, 1)[0], (1000, 3000)),
    "einsum bij,bjk->bik (96,128,32)": of(lambda e, a, b: e.T.einsum("bij,bjk->bik", a, b), (96, 128, 32), (96, 32, 128)),
    "einsum bhid,bhjd->bhij (8,4,64,16)": of(lambda e, a, b: e.T.einsum("bhid,bhjd->bhij", a, b), *[(8, 4, 64, 16)] * 2),
    "tril (1000,1000)": of(lambda e, x: x.tril(), (1000, 1000)),
    "Embedding 1000 x64, 32x50 ids": of(
        lambda e, w, i: e.F.embedding(i, w), (1000, 64), given=lambda e: [e.integers(1000, 32, 50)]),
}
# fmt: on
CASES = {**TABLE, **NETS, **TEACHING}
