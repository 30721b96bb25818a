"""Checks of the chapters' exercises: each function prints one sentence, and returns it for the tests."""

import contextlib
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor
from minitorch.check.__main__ import result, shown
from minitorch.check.exercises import EXERCISES

sys.path.append(str(Path(__file__).parents[1]))  # for the nets of the reports

RIGHT = "right"


def answer(check: Callable[..., str]) -> Callable[..., str]:
    """Print the verdict of `check` on the reader's answer, or that there is no answer yet."""

    def checked(*given: Any) -> str:
        said = "not written yet"
        with contextlib.suppress(NotImplementedError):
            said = check(*given)
        print(f"exercise: {said}")
        return said

    return checked


def picture(name: str) -> Path:
    """The path of a chapter's picture or page: results/tour/`name`."""
    path = Path("results", "tour", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@answer
def check_engine(backward: Callable[[Any], None], tensor: type, programs: int = 200) -> str:
    """Chapter 0: the reader's loop compared with minitorch, on random programs of sums and products that reuse results."""
    for seed in range(programs):
        ours = [minitorch.tensor(v, dtype=minitorch.float64, requires_grad=True) for v in (0.5, -1.5, 2.0)]
        yours = [tensor(leaf.item()) for leaf in ours]
        leaves = list(zip(ours, yours))
        draw = random.Random(seed)
        for _ in range(draw.randint(1, 12)):
            i, j = draw.randrange(len(ours)), draw.randrange(len(ours))
            product = draw.random() < 0.5
            for values in (ours, yours):
                values.append(values[i] * values[j] if product else values[i] + values[j])
        ours[-1].backward()
        backward(yours[-1])
        for k, (right, got) in enumerate(leaves):
            wanted = 0.0 if right.grad is None else right.grad.item()
            found = 0.0 if got.grad is None else float(got.grad)
            if not np.isclose(found, wanted):
                return f"program {seed}: the gradient of leaf {k} is {wanted:.6g}, yours is {found:.6g}"
    return f"{RIGHT} on {programs} random programs"


@answer
def check_orders(program: Callable[[Tensor], Tensor], order: Sequence[Any]) -> str:
    """Chapter 1: the order of the rules of p, q, r, s, t."""
    if ... in order:
        raise NotImplementedError
    right = ["t", "s", "r", "q", "p"]  # made in the order p q r s t, and each of them reaches the result
    for place, (wanted, given) in enumerate(zip(right, order), 1):
        if wanted != given:
            return f"rule {place} is not that of {given!r}: which of those that have received something was made last?"
    return RIGHT if len(order) == len(right) else f"{len(right)} rules run, you named {len(order)}"


@answer
def check_training_loop(descend: Callable[[Tensor, int], list[float]]) -> str:
    """Chapter 2: gradient descent on (w - 1)^2 shrinks the distance to 1 by the factor 0.8 a step."""
    path = descend(minitorch.tensor(0.0, dtype=minitorch.float64, requires_grad=True), 20)
    for step, value in enumerate(path, 1):
        if not np.isclose(value, 1 - 0.8**step):
            return f"step {step} ends at w = {value:.4f}, it should be {1 - 0.8**step:.4f}: which gradients did this step use?"
    return RIGHT


@answer
def check_op(name: str, op: type) -> str:
    """Chapters 3 to 6: the rule of one operation, checked as `python -m minitorch.check` does."""
    row = next(row for row in EXERCISES if row.name == name)
    found = result(row, {row.op.__name__: op})
    if found["status"] == "unwritten":
        raise NotImplementedError
    return shown(found)


@answer
def check_balance(alpha: float | None, terms: Sequence[np.ndarray]) -> str:
    """Chapter 7: the factor that gives the auxiliary gradient the norm of the comparison's."""
    if alpha is None:
        raise NotImplementedError
    ratio = alpha * np.linalg.norm(terms[1] + terms[2]) / np.linalg.norm(terms[0])
    if np.isclose(ratio, 1, rtol=1e-3):
        return RIGHT
    return f"with this alpha the norm of the auxiliary part is {ratio:.3g} times that of the comparison"


@answer
def check_not_analytic(f: Callable[[Any], Any], x: float = 1.0) -> str:
    """Chapter 8: a derivative that central differences get right and the complex step gets wrong."""
    rough, fine = ((f(x + h) - f(x - h)) / (2 * h) for h in (1e-4, 1e-5))
    if not np.isclose(rough, fine, rtol=1e-4, atol=1e-7):
        return f"central differences do not agree about it either: {rough:.6g} with h = 1e-4, {fine:.6g} with h = 1e-5"
    by_complex = np.imag(f(x + 1e-30j)) / 1e-30
    if np.isclose(by_complex, fine, rtol=1e-4, atol=1e-7):
        return f"both say {fine:.6g}: this function is analytic at {x:g}"
    return f"{RIGHT}: differences say {fine:.6g}, the complex step {by_complex:.6g}"


@answer
def check_penalty(penalty: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Chapter 9: the derivative of a gradient penalty by the weights."""
    w, x = (minitorch.tensor(v, dtype=minitorch.float64, requires_grad=True) for v in ([0.5, -1.0], [2.0, 3.0]))
    value = penalty(w, x)
    if not np.isclose(value.item(), 40.0):  # 4 w^2 x^2 = 4 + 36
        return f"the penalty is 40 at w = (0.5, -1), x = (2, 3), yours is {value.item():.6g}"
    if not value.requires_grad:
        return "the penalty has no history, so it cannot be differentiated by w: was the first gradient recorded?"
    (gradient,) = minitorch.autograd.grad(value, w)
    wanted = (8 * w * x * x).tolist()
    return RIGHT if np.allclose(gradient.tolist(), wanted) else f"dP/dw is {wanted}, yours is {gradient.tolist()}"
