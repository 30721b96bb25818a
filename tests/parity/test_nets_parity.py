"""Nets trained by both from the same weights on the same batches, as `tests.figures` publishes it."""

import pytest

from minitorch import optim
from tests.figures import parity
from tests.figures.report_nets import NETS, report_nets

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with parity.one_thread():
        yield


@pytest.mark.parametrize("optimizer", parity.OPTIMIZERS)
def test_random_nets_keep_pytorchs_parameters(optimizer):
    (figure,) = parity.figures(20, optimizers=[optimizer], reports=False)
    assert figure.kept, figure


@pytest.mark.parametrize("trial", [trial for trial in parity.trials(0) if ": " in trial.name], ids=lambda trial: trial.name)
def test_the_nets_of_the_reports_take_the_steps_that_they_take_in_pytorch(trial):
    assert parity.Twins(trial, "SGD, Nesterov", 0).run_step_by_step(2) <= parity.BOUND


def test_20_nets_are_compared_and_they_come_from_every_report():
    assert len(list(parity.trials(0))) == 20
    assert len(NETS) == 5 and len(report_nets()) == sum(map(len, NETS.values()))


def test_every_optimizer_is_compared():
    """Here over 100 steps, or step by step in test_optim_parity.py and on PyTorch's own cases in test_torch_samples.py."""
    by_step = {"Adadelta", "Adamax", "LBFGS", "RAdam"}
    names = {name for name in optim.__all__ if name[0].isupper()} - {"Optimizer"}
    assert {name for name, _ in parity.OPTIMIZERS.values()} == names - by_step and by_step <= names


def test_a_learning_rate_off_by_a_millionth_is_seen(monkeypatch):
    class Faster(optim.SGD):
        def __init__(self, params, lr, **options):
            super().__init__(params, lr * (1 + 1e-6), **options)

    monkeypatch.setattr(optim, "SGD", Faster)
    (figure,) = parity.figures(20, optimizers=["SGD"], reports=False)
    assert figure.kept is False
