"""What all comparisons with PyTorch share."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """PyTorch's threads wait for each other on a busy machine; tensors this small need none."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
