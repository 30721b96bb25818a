"""The pictures of the tape explorer in docs/explorer, made anew: python -m tests.explore_browser.pictures docs/explorer"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from PIL import Image

import minitorch as torch
from minitorch.explorer import explore
from tests.explore import nets
from tests.explore_browser.browser import browser, show

# name: net, step, width and height, dark, key pressed
PICTURES = {
    "step-light": (nets.siamese, 12, (1280, 860), False, ""),
    "step-dark": (nets.siamese, 12, (1280, 860), True, ""),
    "shared-weight": (nets.siamese, 51, (1280, 860), False, ""),
    "predict": (nets.siamese, 36, (1280, 860), False, "p"),
    "broadcast": (nets.broadcast, 3, (1280, 860), False, ""),
    "phone": (nets.siamese, 12, (390, 844), False, ""),
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work, browser() as tab:
        for name, (net, step, size, dark, key) in PICTURES.items():
            page, path = Path(work) / f"{net.__name__}.html", Path(sys.argv[1]) / f"{name}.png"
            net(explore(page)) if net is nets.broadcast else net(explore(page), torch.float32)
            show(tab, f"{page.as_uri()}#step={step}", *size, dark=dark)
            if key:
                tab.keyboard.press(key)
            tab.screenshot(path=path)
            with Image.open(path) as picture:  # 256 colours do, in a third of the bytes
                few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE)
            few.save(path, optimize=True)
