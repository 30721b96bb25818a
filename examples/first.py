"""The first net: a small convnet learns to read handwritten digits, with the whole training loop in plain sight.

python examples/first.py    # about ten seconds; prints a line an epoch and draws results/first/digits.png
"""

from pathlib import Path

import matplotlib.pyplot as plt

import layers as nn
import minitorch as torch
from minitorch.data import load_digits
from minitorch.functional import cross_entropy
from minitorch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits("digits")  # embedded, so no download; load_digits("mnist") has 60,000 where these are 906
images = torch.from_numpy(digits.train_images[:, None] / 255)  # (n, 1, 14, 14), from 0 for paper to 1 for ink
labels = torch.from_numpy(digits.train_labels)
test_images, test_labels = torch.from_numpy(digits.test_images[:, None] / 255), torch.from_numpy(digits.test_labels)

net = nn.Sequential(
    *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 16, 6, 6)
    *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 32, 2, 2)
    *(nn.Flatten(), nn.Linear(128, 10)),  # a score for each of the ten digits
)
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)

for epoch in range(10):
    for batch, targets in DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True):
        loss = cross_entropy(net(batch), targets)  # forward: every operation is recorded on the tape
        optimizer.zero_grad()  # or the new gradients would be added to the old ones
        loss.backward()  # backward: the tape is walked from the loss to the weights
        optimizer.step()  # each weight takes a step against its gradient
    with torch.no_grad():  # nothing in here is recorded
        guesses = net(test_images).argmax(1)
    accuracy = (guesses == test_labels).double().mean().item()
    print(f"epoch {epoch + 1:2}: loss {loss.item():.3f}, {accuracy:.1%} of {len(test_labels)} test digits right")

figure, axes = plt.subplots(2, 8, figsize=(8, 2.5), layout="constrained")
for axis, image, guess, label in zip(axes.flat, digits.test_images, guesses.tolist(), test_labels.tolist()):
    axis.imshow(image, cmap="Greys")
    axis.set_title(f"{guess}" if guess == label else f"{guess}, not {label}", color="k" if guess == label else "#be5000")
    axis.axis("off")
path = Path("results", "first", "digits.png")
path.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(path, dpi=150)
print(f"drawn: {path}")
