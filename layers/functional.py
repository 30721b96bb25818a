"""`minitorch.functional` under PyTorch's path: `import layers.functional as F`."""

from minitorch.functional import *  # noqa: F403  all of its names
