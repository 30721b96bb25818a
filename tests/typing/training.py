"""A user's program: a net of one's own, trained and looked at. Type checkers accept it as it stands, in their strictest mode."""

from __future__ import annotations

import layers as nn
import minitorch as torch
import minitorch.functional as F
from minitorch import Tensor, optim
from minitorch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    mean: Tensor  # a buffer

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 4, hidden), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(hidden, 3)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("mean", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv(x - self.mean))), 2)
        x = self.body(x)
        return self.head(x).tanh() * self.scale


def train(net: Classifier, loader: DataLoader, epochs: int = 2) -> list[float]:
    optimizer = optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-3)
    criterion = nn.CrossEntropyLoss()
    losses: list[float] = []
    for _ in range(epochs):
        net.train()
        for x, target in loader:
            loss = criterion(net(x), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
            optimizer.step()
            losses.append(loss.item())
    return losses


@torch.no_grad()
def accuracy(net: Classifier, x: Tensor, target: Tensor) -> float:
    net.eval()
    return (net(x).argmax(dim=1) == target).float().mean().item()


def algebra() -> Tensor:
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = 2 * a + a**2 - a / 3 + 1
    b += 1
    c = (b @ b).sum() + abs(-b).mean() - (3 - b).prod()
    c.backward()
    gradient = a.grad
    assert gradient is not None
    values, positions = b.view(3, 1).max(dim=0)
    inside = (a > 0) & (b <= 4) | ~(a == 2)
    kept = torch.where(inside, a, b).clamp(min=0.0)
    joined = torch.cat([kept, torch.stack([values, positions.float()]).reshape(-1)])
    largest: float = joined.max().item()
    rows = [row.item() for row in b.reshape(3, 1)]
    print(
        largest,
        rows,
        joined[1:].shape[0],
        joined.view(-1, 1).T.size(),
        a.grad.norm().item(),
        c.to("cpu").double().detach().numpy(),
    )
    return gradient.detach().requires_grad_(False)


def main() -> None:
    torch.manual_seed(0)
    x, target = torch.randn(24, 1, 8, 8), torch.randint(0, 3, (24,))
    net = Classifier()
    losses = train(net, DataLoader(TensorDataset(x, target), batch_size=8, shuffle=True))
    print(losses[-1], accuracy(net, x, target), algebra().tolist())
    print(
        net.head.weight.grad.abs().sum().item(),
        sum(p.numel() for p in net.parameters()),
        *(name for name, _ in net.named_buffers()),
    )


if __name__ == "__main__":
    main()
