"""The pictures of the tape explorer in docs/explorer, made anew: python -m tests.explore_browser.pictures docs/explorer"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from PIL import Image

import minitorch as torch
from minitorch.explorer import explore
from tests.explore import nets
from tests.explore_browser.browser import browser

# name: net, pass and step, width and height, dark, keys pressed
PICTURES = {
    "step-light": (nets.siamese, (1, 12), (1280, 860), False, ""),
    "step-dark": (nets.siamese, (1, 12), (1280, 860), True, ""),
    "shared-weight": (nets.siamese, (1, 51), (1280, 860), False, ""),
    "predict": (nets.siamese, (1, 36), (1280, 860), False, "p"),
    "broadcast": (nets.broadcast, (1, 3), (1280, 860), False, ""),
    "phone": (nets.siamese, (1, 12), (390, 844), False, ""),
}


def main(folder: Path) -> None:
    """Write them all."""
    with tempfile.TemporaryDirectory() as work, browser() as tab:
        for name, (net, (run, step), size, dark, keys) in PICTURES.items():
            path = Path(work) / f"{net.__name__}.html"
            net(explore(path)) if net is nets.broadcast else net(explore(path), torch.float32)
            tab.open(f"{path.as_uri()}#pass={run}&step={step}", *size, dark=dark)
            for key in keys:
                tab.press(key)
            tab.picture(folder / f"{name}.png")
            with Image.open(folder / f"{name}.png") as picture:  # 256 colours do, in a third of the bytes
                few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE)
            few.save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
