"""Images are resized as torchvision resizes tensors, which is PyTorch's `interpolate`."""

import numpy as np
import pytest

import minitorch as mt
from minitorch.vision import transforms

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(32, 32), (14, 14), (5, 40), (3, 7), (28, 28)])
def test_resize_is_interpolate_with_its_antialias(size, antialias):
    image = np.random.default_rng(0).random((2, 3, 28, 20))
    ours = transforms.Resize(size, antialias=antialias)(mt.tensor(image))
    theirs = torch.nn.functional.interpolate(torch.tensor(image), size, mode="bilinear", antialias=antialias)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=1e-12)
