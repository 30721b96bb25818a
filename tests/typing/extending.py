"""A user's program: what goes beyond layers and a loop. Type checkers accept it as it stands, in their strictest mode."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import layers as nn
import minitorch as torch
import minitorch.functional as F
from minitorch import Tensor, autograd
from minitorch.autograd import Function, Op
from minitorch.distributions import Bernoulli, Distribution, Normal
from minitorch.optim import SGD, Adam, Optimizer
from minitorch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, SequentialLR, StepLR
from minitorch.utils.data import DataLoader, Dataset, IterableDataset, Subset, random_split


class Swish(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.beta = beta
        return x * (beta * x).sigmoid()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        s = (ctx.beta * x).sigmoid()
        return grad * (s + ctx.beta * x * s * (1 - s)), None


class Cube(Op):
    """The cube of a.  da = 3 g a^2."""

    def forward(self, a: Any) -> Any:
        self.saved = (a,)
        return a**3

    def backward(self, g: Any) -> Any:
        (a,) = self.saved
        return 3 * g * a**2


class Shapes(Dataset[tuple[Tensor, int]]):
    """Rectangles, lying or standing."""

    def __init__(self, count: int, size: int = 8) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = torch.zeros(1, self.size, self.size)
        if index % 2:
            image[:, 2:4] = 1.0
        else:
            image[:, :, 2:4] = 1.0
        return image + 0.1 * torch.randn_like(image), index % 2


class Bare(Dataset):
    def __getitem__(self, index: int) -> Tensor:
        return torch.full((2,), float(index))


class Stream(IterableDataset[Tensor]):
    def __iter__(self) -> Any:
        return iter([torch.zeros(2), torch.ones(2)])


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, (3, 3), stride=1, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.AvgPool2d(2)
        )
        self.blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
        self.head = nn.Linear(4, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x).flatten(start_dim=1)
        for block in self.blocks:
            x = Swish.apply(block(x), 1.5)
        return self.head(x)


def optimizer_of(net: Net) -> Optimizer:
    return SGD(
        [{"params": net.features.parameters(), "lr": 0.01}, {"params": [*net.blocks.parameters(), net.head.weight]}],
        lr=0.1,
        momentum=0.9,
        nesterov=True,
    )


def hooks(net: Net, x: Tensor) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []

    def after(module: nn.Module, args: Any, output: Tensor) -> None:
        seen.append(tuple(output.shape))

    handle = net.features.register_forward_hook(after)
    y = net(x)
    y.retain_grad()
    halved = y.register_hook(lambda grad: grad / 2)
    y.square().sum().backward(retain_graph=True)
    halved.remove()
    handle.remove()
    (second,) = autograd.grad(y.sum(), [net.head.weight], create_graph=True)
    if second is not None:
        seen.append(tuple(second.shape))
    with torch.enable_grad(), autograd.detect_anomaly():
        net(x).mean().backward()
    return seen


def fit(net: Net, data: Dataset[tuple[Tensor, int]], folder: Path) -> float:
    optimizer = optimizer_of(net)
    warm = LambdaLR(optimizer, lambda epoch: (epoch + 1) / 2)
    scheduler = SequentialLR(optimizer, [warm, CosineAnnealingLR(optimizer, T_max=3)], milestones=[2])
    training, held = random_split(data, [0.75, 0.25], generator=torch.Generator().manual_seed(1))
    loader = DataLoader(training, batch_size=4, shuffle=True, drop_last=True)
    smallest = float("inf")
    for _ in range(2):
        for x, target in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(x), target, label_smoothing=0.1)
            loss.backward()
            optimizer.step()
            smallest = min(smallest, loss.item())
        scheduler.step()
        for group in optimizer.param_groups:
            print(group["lr"], scheduler.get_last_lr())
    saved = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    torch.save(saved, folder / "saved.pt")
    loaded = torch.load(folder / "saved.pt")
    missing, unexpected = net.load_state_dict(loaded["net"], strict=True)
    optimizer.load_state_dict(loaded["optimizer"])
    assert not missing
    assert not unexpected
    sample, label = held[0]
    return smallest + label + sample.mean().item()


def lower_level() -> Tensor:
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    kernel, bias = torch.randn(4, 3, 3, 3, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    y = F.conv2d(x, kernel, bias, stride=2, padding=1)
    y = F.adaptive_avg_pool2d(F.avg_pool2d(y, 2), (1, 1)).squeeze(-1).squeeze(-1)
    y = F.layer_norm(F.dropout(y, 0.1, training=False), (4,))
    assert autograd.gradcheck(lambda t: Swish.apply(t, 1.0), [x.detach().reshape(-1)[:5].clone().requires_grad_()])
    return F.log_softmax(F.gelu(y), dim=-1).logsumexp(dim=1)


@torch.no_grad()
def stepped(layer: nn.Linear, rate: float) -> list[nn.Parameter]:
    """One step of gradient descent, written out."""
    for p in layer.parameters():
        p -= rate * p.grad
        p.grad = None
    return [*layer.parameters()]


def forms(kind: torch.dtype, loader: DataLoader[tuple[Tensor, Tensor]], members: list[Distribution]) -> list[Tensor]:
    """Forms of calls that differ from the plain ones: by name, by Python's own functions, with another kind of result."""
    torch.backends.cudnn.benchmark = torch.backends.cuda.matmul.allow_tf32 = isinstance(kind, torch.dtype)
    x = torch.rand(size=(2, 3), dtype=kind).requires_grad_()
    rows, columns = torch.where(x > 0.5)
    places = torch.nonzero(x > 0.5).shape[0] - len(rows) - len(columns)
    (slope,) = autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    turned = torch.flip(x, dims=[0]) + x.permute(dims=(1, 0)).T + slope.sum() + places
    losses = [F.mse_loss(turned, x, reduction="sum"), *(each.log_prob(each.sample()).sum() for each in members)]
    if isinstance(losses[0], torch.DoubleTensor):
        losses.append(torch.linalg.svd(losses[0].view(1, 1)).S.sum())
    total: Tensor = max(losses) + sorted(losses)[0] + sum(losses)
    return [total, *(image.mean() for image, _ in loader), torch.tensor(len(loader.dataset + Shapes(2)))]


def refused(x: Tensor, layer: nn.Linear) -> None:
    """Not called: each line is wrong, and type checkers say so."""
    F.cross_entropy(x)  # type: ignore[call-arg]
    F.mse_loss(x, x, reduction=1)  # type: ignore[arg-type]
    torch.where(x > 0, x)  # type: ignore[call-overload]
    stepped(layer, rate="0.1")  # type: ignore[arg-type]
    torch.no_grad(True)  # type: ignore[call-arg]
    nn.Linear(3, 2, biases=False)  # type: ignore[call-arg]
    x + "1"  # type: ignore[arg-type]


def main() -> None:
    torch.manual_seed(0)
    net = Net()
    nn.init.kaiming_normal_(net.head.weight)
    with TemporaryDirectory() as folder:
        print(fit(net, Shapes(32), Path(folder)))
    print(hooks(net, torch.randn(2, 1, 8, 8)), lower_level().tolist())
    print([x[0, 0].item() for x in DataLoader(Stream())], Bare()[1] + Subset(Shapes(4), [1, 2])[0][1])
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    print(stepped(layer, 0.1), forms(torch.float64, DataLoader(Shapes(2)), [Normal(0.0, 1.0), Bernoulli(0.5)]))
    print(*DataLoader([(1, 2.0), (3, 4.0)], batch_size=2))
    adam = Adam(net.parameters(), betas=(0.9, 0.99))
    decay = StepLR(adam, step_size=1, gamma=0.5)
    adam.step()
    decay.step()
    print(adam.param_groups[0]["lr"], adam.state[net.head.weight], {name: tuple(p.shape) for name, p in net.named_parameters()})


if __name__ == "__main__":
    main()
