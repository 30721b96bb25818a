"""Two nets play against each other until one of them draws digits: Goodfellow et al., Generative Adversarial Nets (2014).

    python examples/gan.py    # about a minute; prints a line every 25 epochs and draws results/gan/digits.png

The generator turns noise into images, the discriminator estimates how likely an image is a real digit. Each step trains both:
the discriminator to tell real from drawn images, the generator to draw images that pass for real ones.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt

import layers as nn
import minitorch as torch
from minitorch.data import DatasetError, load_digits
from minitorch.functional import binary_cross_entropy_with_logits
from minitorch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", default="digits", help="digits (embedded, the default), mnist, or a folder of IDX files")
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: on a GPU, by CuPy")
options = parser.parse_args()
if options.epochs < 1:
    parser.error(f"--epochs: expected at least 1, got {options.epochs}")

NOISE = 32
torch.manual_seed(0)
torch.set_default_device(options.device)  # where layers and new tensors are put
try:
    digits = load_digits(options.data)
except DatasetError as reason:
    parser.error(f"--data: {reason}")
images = torch.tensor(digits.train_images[:, None] / 127.5 - 1)  # (n, 1, 14, 14) from -1 to 1, as tanh gives them

generator = nn.Sequential(
    *(nn.Linear(NOISE, 128), nn.LeakyReLU(0.2), nn.BatchNorm1d(128)),
    *(nn.Linear(128, 256), nn.LeakyReLU(0.2), nn.BatchNorm1d(256)),
    *(nn.Linear(256, 14 * 14), nn.Tanh(), nn.Unflatten(1, (1, 14, 14))),
)
discriminator = nn.Sequential(
    *(nn.Flatten(), nn.Linear(14 * 14, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
    *(nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 1)),
)
of_generator = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.999))


def verdict(images, real):
    """How far the discriminator is from calling all `images` real (or drawn)."""
    logits = discriminator(images)
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


fixed = torch.randn(64, NOISE)
for epoch in range(options.epochs):
    losses = []
    for (real,) in DataLoader(TensorDataset(images), batch_size=32, shuffle=True, drop_last=True):
        drawn = generator(torch.randn(len(real), NOISE))

        # the discriminator's step; detach() keeps the gradient from the generator
        loss = verdict(real, True) + verdict(drawn.detach(), False)
        of_discriminator.zero_grad()
        loss.backward()
        of_discriminator.step()

        # the generator's step: through the discriminator, whose own gradients are cleared before they are used
        fooled = verdict(drawn, True)
        of_generator.zero_grad()
        fooled.backward()
        of_generator.step()
        losses.append((loss.item() / 2, fooled.item()))
    if epoch % 25 == 24 or epoch == options.epochs - 1:
        tells, fools = (sum(column) / len(losses) for column in zip(*losses))
        print(
            f"epoch {epoch + 1:3}: loss of the discriminator {tells:.3f}, of the generator {fools:.3f} (ln 2 = 0.693: a guess)"
        )

generator.eval()
with torch.no_grad():
    drawn = generator(fixed).cpu().numpy()[:, 0]
figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for axis, pictures, title in ((axes[0], images.cpu().numpy()[:64, 0], "real digits"), (axes[1], drawn, "drawn from noise")):
    axis.imshow(pictures.reshape(8, 8, 14, 14).transpose(0, 2, 1, 3).reshape(112, 112), cmap="Greys")
    axis.set_title(title)
    axis.axis("off")
path = Path("results", "gan", "digits.png")
path.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(path, dpi=150)
print(f"drawn: {path}")
