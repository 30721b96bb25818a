"""Programs of views, writes and reads beside PyTorch's: the same values and gradients, or a refusal; never something else."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch as mt
from minitorch import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.parity

PROGRAMS = int(os.environ.get("VIEW_PROGRAMS", "150"))
counted = {"both": 0, "refused": 0}

VIEWS = {
    "row": lambda t, a: t[a % len(t)],
    "rows": lambda t, a: t[a % len(t) :],
    "step": lambda t, a: t[::2],
    "last": lambda t, a: t[..., -1:],
    "flat": lambda t, a: t.view(-1),
    "reshaped": lambda t, a: t.reshape(-1),
    "flattened": lambda t, a: t.flatten(1) if t.ndim > 1 else t.flatten(),
    "pairs": lambda t, a: t.view(-1, 2),
    "turned": lambda t, a: t.transpose(0, t.ndim - 1),
    "permuted": lambda t, a: t.permute(*range(1, t.ndim), 0),
    "unsqueezed": lambda t, a: t.unsqueeze(0),
    "squeezed": lambda t, a: t.squeeze(),
    "detached": lambda t, a: t.detach(),
    "contiguous": lambda t, a: t.contiguous(),
    "part": lambda t, a: t.split(1)[a % len(t)],
}
WRITES = {
    "mul_": lambda lib, t, other, a: t.mul_(1.5),
    "add_": lambda lib, t, other, a: t.add_(other.sum()),
    "exp_": lambda lib, t, other, a: t.mul_(0.1).exp_(),
    "zero_": lambda lib, t, other, a: t.zero_(),
    "copy_": lambda lib, t, other, a: t.copy_(other.mean() * 2),
    "neg_": lambda lib, t, other, a: t.neg_(),
    "set": lambda lib, t, other, a: t.__setitem__(a % len(t), other.sum()),
    "set all": lambda lib, t, other, a: t.__setitem__(Ellipsis, 3.0),
    "iadd": lambda lib, t, other, a: t.__iadd__(1.0),
    "relu": lambda lib, t, other, a: (torch.nn.functional if lib is torch else F).relu(t, True),
    "leaky": lambda lib, t, other, a: (torch.nn.functional if lib is torch else F).leaky_relu(t, 0.3, True),
}
SOURCES = ("plain", "buffer", "conv", "pool")

steps = st.lists(
    st.tuples(
        st.sampled_from(["view", "write", "write", "read", "no grad view", "no grad write"]),
        st.sampled_from(sorted(VIEWS)),
        st.sampled_from(sorted(WRITES)),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


def start(lib, source, x):
    """A tensor to work on that depends on x, or will."""
    functional = torch.nn.functional if lib is torch else F
    if source == "plain":
        return x * 2
    if source == "buffer":
        return lib.zeros(2, 2, 3, dtype=lib.float64) + 1.0
    image = x.reshape(1, 1, 3, 4)
    weight = lib.arange(1.0, 9.0, dtype=lib.float64).reshape(2, 1, 2, 2) / 8
    made = functional.conv2d(image, weight)
    return made if source == "conv" else functional.max_pool2d(made, (1, 2), 1)


def run(lib, source, program):
    """What the program computes: every tensor's values at the end, the values read, and the gradient of all."""
    x = lib.arange(1.0, 13.0, dtype=lib.float64).requires_grad_()
    tensors, read, total = [start(lib, source, x)], [], (x * 0).sum()
    for kind, view, write, first, second, a in program:
        t, other = tensors[first % len(tensors)], tensors[second % len(tensors)]
        if not t.ndim or not t.numel():
            continue
        if kind == "read":
            read.append((t * 1.0).sum().item())
            total = total + (t * (first + 1.0)).sum()
        elif kind.endswith("view"):
            if kind == "view":
                tensors.append(VIEWS[view](t, a))
            else:
                with lib.no_grad():
                    tensors.append(VIEWS[view](t, a))
        elif kind == "write":
            WRITES[write](lib, t, other, a)
        else:
            with lib.no_grad():
                WRITES[write](lib, t, other, a)
    for i, t in enumerate(tensors):
        total = total + (t * (i + 1.0)).sum()
    total.backward()
    return [*(t.tolist() for t in tensors), *read, x.grad.tolist()]


@settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=PROGRAMS == 150)
@given(st.sampled_from(SOURCES), steps)
def compared(source, program):
    """Run a program on both sides and compare, or count that minitorch refuses it."""
    try:
        expected = run(torch, source, program)
    except RuntimeError:
        return  # PyTorch refuses; whether we do is tested elsewhere
    counted["both"] += 1
    try:
        got = run(mt, source, program)
    except (RuntimeError, ValueError):
        counted["refused"] += 1
        return
    for ours, theirs in zip(got, expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert len(got) == len(expected)


def test_programs_of_views_and_writes_do_what_pytorchs_do_and_few_are_refused():
    compared()
    assert counted["both"] > PROGRAMS // 4
    assert counted["refused"] <= 0.05 * counted["both"], counted
