"""Helpers beside the engine: `minitorch.utils.data` feeds batches."""
