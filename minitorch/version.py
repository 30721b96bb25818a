"""`torch.version`: the version of PyTorch whose names minitorch follows."""

__version__ = "2.13.0+cpu"
cuda: str | None = None
hip: str | None = None
