"""Gradients, by PyTorch's names (`torch.autograd`): the backward pass, recording, operations of one's own, and checks."""

from minitorch.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.engine import backward, grad
from minitorch.function import Function
from minitorch.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minitorch.gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function",
    "GradcheckError",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
