"""The embedded digits are enlarged as PyTorch would."""

import numpy as np
import pytest

from minitorch.data.digits import enlarge

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity


def test_enlarging_is_pytorchs_interpolate_without_aligned_corners():
    images = np.random.default_rng(0).integers(0, 17, (20, 8, 8), dtype=np.uint8)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(images)[:, None].double(), (10, 10), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(enlarge(images)[:, 2:12, 2:12], theirs[:, 0].numpy() * 255 / 16, rtol=1e-6, atol=1e-5)
