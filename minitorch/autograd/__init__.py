"""Gradients, under PyTorch's names (`torch.autograd`): the backward pass, recording, your own operations, and checks."""

from minitorch.autograd import functional
from minitorch.autograd.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.autograd.explain import explain
from minitorch.autograd.function import Function, once_differentiable
from minitorch.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minitorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from minitorch.autograd.op import Op
from minitorch.autograd.partial import backward, grad
from minitorch.autograd.variable import Variable

# fmt: off
__all__ = [
    "Function", "GradcheckError", "Op", "Variable", "backward", "detect_anomaly", "enable_grad", "explain", "functional",
    "grad", "gradcheck", "gradgradcheck", "inference_mode", "is_grad_enabled", "no_grad", "once_differentiable",
    "set_detect_anomaly", "set_grad_enabled",
]
# fmt: on
