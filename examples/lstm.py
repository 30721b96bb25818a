"""An LSTM reads a handwritten digit row by row, as it would a sentence word by word: Hochreiter and Schmidhuber (1997).

    python examples/lstm.py    # about half a minute; prints a line an epoch and draws results/lstm/reading.png

At each of the 14 steps the net reads one row of pixels. It is trained to name the digit after the last row. The picture shows
its answer after every row: how early is it right?
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt

import layers as nn
import minitorch as torch
from minitorch.data import DatasetError, load_digits
from minitorch.functional import cross_entropy
from minitorch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", default="digits", help="digits (embedded, the default), mnist, or a folder of IDX files")
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: on a GPU, by CuPy")
options = parser.parse_args()
if options.epochs < 1:
    parser.error(f"--epochs: expected at least 1, got {options.epochs}")


class Reader(nn.Module):
    """Images (n, 14 rows, 14 pixels) to scores (n, 14, 10): what the net would say after each row."""

    def __init__(self, hidden=64):
        super().__init__()
        self.lstm = nn.LSTM(14, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)

    def forward(self, images):
        states, _ = self.lstm(images)  # (n, 14, hidden)
        return self.head(states)


torch.manual_seed(0)
torch.set_default_device(options.device)  # where layers and new tensors are put
try:
    digits = load_digits(options.data)
except DatasetError as reason:
    parser.error(f"--data: {reason}")
images, labels = torch.tensor(digits.train_images / 255), torch.tensor(digits.train_labels)
test_images, test_labels = torch.tensor(digits.test_images / 255), torch.tensor(digits.test_labels)
net = Reader()
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)

for epoch in range(options.epochs):
    for batch, targets in DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True):
        loss = cross_entropy(net(batch)[:, -1], targets)
        optimizer.zero_grad()
        loss.backward()  # back through all 14 steps, which share their weights
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        guesses = net(test_images).argmax(2)
    accuracy = (guesses[:, -1] == test_labels).double().mean().item()
    print(f"epoch {epoch + 1:2}: loss {loss.item():.3f}, {accuracy:.1%} of {len(test_labels)} test digits read right")

with torch.no_grad():
    chances = net(test_images).softmax(2).cpu().numpy()
figure, axes = plt.subplots(4, 4, figsize=(9, 7), height_ratios=(1, 3, 1, 3), layout="constrained")
for i in range(8):
    digit, chart = axes[2 * (i // 4) : 2 * (i // 4) + 2, i % 4]
    digit.imshow(digits.test_images[i], cmap="Greys")
    digit.axis("off")
    chart.imshow(chances[i].T, cmap="Blues", vmin=0, vmax=1, origin="lower", aspect="auto", extent=(0.5, 14.5, -0.5, 9.5))
    chart.set(xticks=(1, 7, 14), yticks=range(10), xlabel="rows read")
figure.suptitle("probabilities of the ten classes after each row")
path = Path("results", "lstm", "reading.png")
path.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(path, dpi=150)
print(f"drawn: {path}")
