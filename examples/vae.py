"""A variational autoencoder draws digits: Kingma and Welling, Auto-Encoding Variational Bayes (2014).

    python examples/vae.py    # about half a minute; prints a line every 10 epochs and draws results/vae/digits.png

The encoder turns an image into a normal distribution over two numbers, the decoder turns two numbers into an image. The loss
is small if images come out as they went in, and if the distributions are near the standard normal one. After training, the
decoder therefore turns two numbers drawn from that distribution, or from a grid, into digits that nobody wrote.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import layers as nn
import minitorch as torch
from minitorch.data import DatasetError, load_digits
from minitorch.functional import binary_cross_entropy_with_logits
from minitorch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", default="digits", help="digits (embedded, the default), mnist, or a folder of IDX files")
parser.add_argument("--epochs", type=int, default=100)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: on a GPU, by CuPy")
options = parser.parse_args()
if options.epochs < 1:
    parser.error(f"--epochs: expected at least 1, got {options.epochs}")

PIXELS, HIDDEN, LATENT = 14 * 14, 200, 2


class VAE(nn.Module):
    """Images (n, 196) from 0 to 1: to means and log variances (n, 2), and from two numbers back to logits (n, 196)."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS))

    def forward(self, images):
        mean, log_variance = self.encoder(images).chunk(2, 1)
        # drawn as mean + deviation * noise: the noise is a constant, so gradients reach mean and deviation (section 2.4)
        latent = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return self.decoder(latent), mean, log_variance


def negative_elbo(logits, images, mean, log_variance):
    """Equation 10 of the paper with the opposite sign: reconstruction, and the divergence from the standard normal."""
    reconstruction = binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return (reconstruction + divergence) / len(images)


torch.manual_seed(0)
torch.set_default_device(options.device)  # where layers and new tensors are put
try:
    digits = load_digits(options.data)
except DatasetError as reason:
    parser.error(f"--data: {reason}")
images = torch.tensor(digits.train_images.reshape(-1, PIXELS) / 255)
test = torch.tensor(digits.test_images.reshape(-1, PIXELS) / 255)
net = VAE()
optimizer = torch.optim.Adam(net.parameters(), lr=0.002)

for epoch in range(options.epochs):
    for (batch,) in DataLoader(TensorDataset(images), batch_size=50, shuffle=True):
        logits, mean, log_variance = net(batch)
        loss = negative_elbo(logits, batch, mean, log_variance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9 or epoch == options.epochs - 1:
        with torch.no_grad():
            logits, mean, log_variance = net(test)
            bound = negative_elbo(logits, test, mean, log_variance).item()
        print(f"epoch {epoch + 1:3}: negative lower bound of a test digit {bound:.1f} nats")

# the grid of latent numbers: equally likely steps along both axes, and the image the decoder makes of each point
side = 12
steps = np.linspace(-2, 2, side)
grid = torch.tensor([[x, y] for y in steps[::-1] for x in steps], dtype=torch.float32)
with torch.no_grad():
    drawn = net.decoder(grid).sigmoid().cpu().numpy().reshape(side, side, 14, 14)
    means = net.encoder(test)[:, :LATENT].cpu().numpy()

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
left.imshow(drawn.transpose(0, 2, 1, 3).reshape(side * 14, side * 14), cmap="Greys", extent=(-2, 2, -2, 2))
left.set(title="what the decoder draws at each point", xlabel="first latent number", ylabel="second")
colours = plt.colormaps["tab10"]
for label in range(10):
    right.scatter(*means[digits.test_labels == label].T, s=8, color=colours(label), label=str(label))
right.set(title="where the encoder puts the test digits", xlim=(-4, 4), ylim=(-4, 4), xlabel="first latent number")
right.legend(ncols=2, frameon=False, markerscale=2)
path = Path("results", "vae", "digits.png")
path.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(path, dpi=150)
print(f"drawn: {path}")
