"""Every differentiable operation, by family: forward and backward side by side, the formula in the docstring."""
