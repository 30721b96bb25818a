"""Division by zero, overflow and nan are values, not warnings; the user's own NumPy warns as before. A warning fails a test here."""

from __future__ import annotations

import contextvars
import threading

import numpy as np
import pytest

import minitorch as mt
from minitorch import optim
from minitorch.autograd import float_errors
from minitorch.optim import clip_grad_norm_
from tests.op_table import ROWS
from tests.op_table.row import is_differentiated

HARD = np.array([0.0, -1.0, np.inf, 1e30, -np.inf, np.nan, 1e-38, -3e38, 1000.0], np.float32)


def hard(value: object) -> object:
    """An input of the same shape, of numbers that make floating-point errors."""
    return mt.tensor(np.resize(HARD, value.shape), requires_grad=True) if is_differentiated(value) else value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("create_graph", [False, True])
def test_no_operation_warns_of_the_numbers_it_meets(row, create_graph):
    for case in row.cases:
        inputs = [hard(value) for value in row.inputs(case, mt.float32)]
        try:
            outs = row(case, inputs)
        except ValueError:  # numbers out of range, refused by name
            continue
        for out in outs:
            if out.requires_grad:
                moving = [value for value in inputs if is_differentiated(value)]
                mt.autograd.grad(
                    out, moving, mt.ones_like(out), create_graph=create_graph, retain_graph=True, allow_unused=True
                )


def test_operators_do_not_warn():
    zero, infinity = mt.zeros(2, requires_grad=True), mt.full((2,), np.inf)
    (1 / zero + zero / zero + (zero - 1) ** 0.5 + infinity - infinity).sum().backward()
    assert np.isnan(zero.grad.numpy()).all()
    mt.full((2,), np.nan).long()
    assert (mt.full((2,), 1e30).half() == np.inf).all()


@pytest.mark.parametrize(
    "rule", [optim.SGD, optim.Adam, optim.AdamW, optim.Adagrad, optim.RMSprop], ids=lambda rule: rule.__name__
)
def test_optimizers_and_clipping_do_not_warn(rule):
    p = mt.ones(9, requires_grad=True)
    p.grad = mt.tensor(HARD)
    clip_grad_norm_(p, 1.0)
    p.grad = mt.tensor(HARD)
    rule([p], lr=0.1).step()


def test_numpy_goes_on_warning_its_user():
    def warns():
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            np.ones(1) / np.zeros(1)

    x = mt.zeros(1, requires_grad=True)
    (1 / x).backward()
    warns()
    with pytest.raises(ValueError):
        mt.ones(2) + mt.ones(3)  # an operation that fails puts the setting back
    warns()
    with np.errstate(divide="raise"):
        1 / x
        with pytest.raises(FloatingPointError):
            np.ones(1) / np.zeros(1)


def test_every_thread_computes_without_a_warning():
    seen = []
    thread = threading.Thread(target=lambda: seen.append((1 / mt.zeros(1)).item()))
    thread.start()
    thread.join()
    assert seen == [np.inf]


def test_a_numpy_that_keeps_its_setting_elsewhere_is_quiet_too(monkeypatch):
    monkeypatch.setattr(contextvars, "copy_context", dict)  # a NumPy without a context variable
    reporting, off = float_errors._numpys_setting()
    with np.errstate(divide="raise"):
        before = reporting.set(off)
        assert np.float32(1) / np.float32(0) == np.inf
        reporting.reset(before)
        with pytest.raises(FloatingPointError):
            np.float32(1) / np.float32(0)
