"""Functions on parameters, as in torch.nn.utils: clipping their gradients, and all of them as one vector."""

from __future__ import annotations

from collections.abc import Iterable

from layers.utils import rnn
from minitorch import cat
from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.tensor import Tensor
from minitorch.optim import clip_grad_norm_, clip_grad_value_

clip_grad_norm = clip_grad_norm_  # PyTorch's old name

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "rnn", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after another, in one vector; gradients flow back to them."""
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write consecutive pieces of a vector into the parameters' own memory.

    Raises ValueError unless the vector has exactly as many elements as the parameters together.
    """
    parameters = list(parameters)
    counts = [parameter.numel() for parameter in parameters]
    if vec.shape != (sum(counts),):
        raise ValueError(f"vector_to_parameters: expected a vector of {sum(counts)} elements, got shape {tuple(vec.shape)}")
    with no_grad():
        for parameter, stretch in zip(parameters, vec.split(counts)):
            parameter.copy_(stretch.reshape(parameter.shape))
