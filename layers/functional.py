"""`minitorch.functional`, where a PyTorch user looks for it: `import layers.functional as F`."""

from minitorch.functional import *  # noqa: F403  all of its names
