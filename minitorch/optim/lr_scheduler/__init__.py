"""Learning-rate schedules: call `step()` once per epoch, after the optimizer's steps of that epoch.

They use PyTorch's recursions (each rate from the previous one), so they can be chained and give its rates to the last digits.
"""

# fmt: off
# isort: off
from minitorch.optim.lr_scheduler.base import ChainedScheduler, LRScheduler, SequentialLR
from minitorch.optim.lr_scheduler.curves import (
    ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, ExponentialLR, LambdaLR, LinearLR, MultiplicativeLR,
    MultiStepLR, ReduceLROnPlateau, StepLR,
)
from minitorch.optim.lr_scheduler.cycles import CyclicLR, OneCycleLR

_LRScheduler = LRScheduler  # PyTorch's old name of the base class, from which older schedules of one's own are derived

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "ReduceLROnPlateau", "SequentialLR",
    "StepLR",
]
# fmt: on
