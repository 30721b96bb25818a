"""A small GPT learns to write: Radford et al. (2018), with the decoder of Vaswani et al., Attention Is All You Need (2017).

    python examples/gpt.py    # about two minutes; prints the loss and then a text, also into results/gpt/text.txt

It reads minitorch's own source code character by character and is trained to name the next one. What it writes at the end
means nothing but looks like code: `def`, indentation, brackets that close.
"""

import argparse
from pathlib import Path

import numpy as np

import layers as nn
import minitorch as torch
from minitorch.functional import cross_entropy, gelu, scaled_dot_product_attention

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--text", type=Path, help="a text file (default: minitorch's source)")
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: on a GPU, by CuPy")
options = parser.parse_args()
if options.steps < 1:
    parser.error(f"--steps: expected at least 1, got {options.steps}")

BLOCK, BATCH, WIDTH, HEADS, LAYERS = 64, 16, 64, 4, 3  # characters seen at once, texts a step, and the size of the net


class Block(nn.Module):
    """Attention to earlier characters, then a small net for each character; each is added to its input (residual)."""

    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        n, length, _ = x.shape
        q, k, v = (
            part.view(n, length, HEADS, WIDTH // HEADS).transpose(1, 2)  # (n, heads, length, width / heads)
            for part in self.qkv(self.norm_1(x)).split(WIDTH, 2)
        )
        attended = scaled_dot_product_attention(q, k, v, is_causal=True)  # softmax(q k^T / sqrt(d)) v, earlier ones alone
        x = x + self.out(attended.transpose(1, 2).reshape(n, length, WIDTH))
        return x + self.down(gelu(self.up(self.norm_2(x))))


class GPT(nn.Module):
    """Characters (n, length) as whole numbers, to scores (n, length, characters) for the next one at each place."""

    def __init__(self, characters):
        super().__init__()
        self.characters, self.places = nn.Embedding(characters, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters, bias=False)

    def forward(self, text):
        x = self.characters(text) + self.places(torch.arange(text.shape[1]))
        return self.head(self.norm(self.blocks(x)))

    @torch.no_grad()
    def write(self, text, length):
        """Continue `text`, (1, at least one character), by `length` characters drawn from what the net expects."""
        for _ in range(length):
            scores = self(text[:, -BLOCK:])[:, -1]
            text = torch.cat([text, torch.multinomial(scores.softmax(1), 1)], 1)
        return text


torch.manual_seed(0)
torch.set_default_device(options.device)  # where layers and new tensors are put
sources = [options.text] if options.text else sorted(Path(torch.__file__).parent.rglob("*.py"))
try:
    corpus = "\n".join(source.read_text(encoding="utf-8") for source in sources)
except (OSError, UnicodeError) as reason:
    parser.error(f"--text: {reason}")
if len(corpus) < 20 * BLOCK:  # a tenth is held out
    parser.error(f"--text: expected at least {20 * BLOCK} characters, got {len(corpus)}")
alphabet = sorted(set(corpus))
number = {character: i for i, character in enumerate(alphabet)}
data = torch.tensor([number[character] for character in corpus])
cut = len(data) * 9 // 10
train, held_out = data[:cut], data[cut:]
print(f"{len(corpus):,} characters, {len(alphabet)} different ones: a guess costs {np.log(len(alphabet)):.2f} nats a character")


def batch_of(text):
    """BATCH stretches of a text and, for each place in them, the character that follows."""
    starts = torch.randint(len(text) - BLOCK - 1, (BATCH, 1))
    places = starts + torch.arange(BLOCK)
    return text[places], text[places + 1]


net = GPT(len(alphabet))
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
for step in range(options.steps):
    inputs, targets = batch_of(train)
    loss = cross_entropy(net(inputs).flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 99 or step == options.steps - 1:
        with torch.no_grad():
            held = [
                cross_entropy(net(inputs).flatten(0, 1), targets.flatten()).item()
                for inputs, targets in map(batch_of, [held_out] * 10)
            ]
        print(
            f"step {step + 1:4}: {loss.item():.2f} nats a character in training, {np.mean(held):.2f} on text held out",
            flush=True,
        )

written = net.write(held_out[None, :1], 600)
text = "".join(alphabet[i] for i in written[0].tolist())
path = Path("results", "gpt", "text.txt")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(text, encoding="utf-8")
print(f"{text}\nwritten: {path}")
