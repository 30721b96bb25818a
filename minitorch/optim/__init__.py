"""Optimizers, learning-rate schedules and gradient clipping, as `torch.optim` (clipping: `torch.nn.utils`)."""

from minitorch.optim import lr_scheduler
from minitorch.optim.adagrad import Adadelta, Adagrad, RMSprop
from minitorch.optim.adam import Adam, Adamax, AdamW, RAdam
from minitorch.optim.clip import clip_grad_norm_, clip_grad_value_
from minitorch.optim.lbfgs import LBFGS
from minitorch.optim.optimizer import Optimizer
from minitorch.optim.sgd import SGD

# fmt: off
__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Optimizer", "RAdam", "RMSprop",
    "clip_grad_norm_", "clip_grad_value_", "lr_scheduler",
]
# fmt: on
