"""`torch.version`: the PyTorch whose names there are, and that nothing here was built for a GPU."""

__version__ = "2.13.0+cpu"
cuda: str | None = None
