"""Hessian-vector products of random nets, as `tests.figures` publishes them."""

from minitorch.autograd.tensor import Tensor
from minitorch.ops.linear import Linear
from tests.figures import hessians
from tests.figures.nets import ACTIVATIONS, LOSSES, random_nets


def test_products_are_symmetric_and_those_of_the_complex_step():
    for figure in hessians.figures(50):
        assert figure.kept, figure


def test_the_nets_have_every_layer_activation_and_loss():
    nets = list(random_nets(50, seed=0))
    used = {name for net in nets for name, _ in net.layers}
    norms = {"BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm"}
    assert used == {"Linear", "Conv2d", "Flatten", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", *norms, *ACTIVATIONS}
    assert {net.loss for net in nets} == set(LOSSES)


def test_a_rule_that_forgets_that_its_input_moves_is_seen_by_both(monkeypatch):
    right = Linear.backward

    def backward(ctx, g):
        dx, dw, db = right(ctx, g)
        return dx.detach() if isinstance(dx, Tensor) else dx, dw, db

    monkeypatch.setattr(Linear, "backward", backward)
    assert [figure.kept for figure in hessians.figures(50)] == [False, False]
