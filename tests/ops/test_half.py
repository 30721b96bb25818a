"""float16: what adds numbers up computes in float32 and rounds once, so that results and gradients are those of float32, rounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minitorch as mt
import minitorch.functional as F

rng = np.random.default_rng(0)
A = (rng.standard_normal((3000, 6)) * 2 + 1).astype(np.float16)
B = rng.standard_normal((3000, 6)).astype(np.float16)
LABELS = mt.tensor(np.arange(3000) % 6)

CALLS: dict[str, Callable[[mt.Tensor, mt.Tensor, mt.Tensor], mt.Tensor]] = {
    "sum": lambda a, b, big: a.sum(0),
    "sum of all": lambda a, b, big: (a * 0 + 1).sum(),
    "mean": lambda a, b, big: a.mean(),
    "var": lambda a, b, big: a.var(0),
    "std": lambda a, b, big: (big).std(),
    "prod": lambda a, b, big: b.prod(1),
    "cumsum": lambda a, b, big: a.cumsum(0),
    "norm": lambda a, b, big: mt.norm(big),
    "norm 3": lambda a, b, big: mt.norm(big, 3, 1),
    "logsumexp": lambda a, b, big: a.logsumexp(0),
    "softmax": lambda a, b, big: F.softmax(a, 0),
    "log_softmax": lambda a, b, big: F.log_softmax(a, 0),
    "mse_loss": lambda a, b, big: F.mse_loss(big, b),
    "l1_loss": lambda a, b, big: F.l1_loss(big, b),
    "huber_loss": lambda a, b, big: F.huber_loss(a, b),
    "cross_entropy": lambda a, b, big: F.cross_entropy(a, LABELS),
    "cross_entropy, weighted": lambda a, b, big: F.cross_entropy(a, LABELS, b[0].detach() + 4),
    "nll_loss": lambda a, b, big: F.nll_loss(a, LABELS),
    "binary_cross_entropy_with_logits": lambda a, b, big: F.binary_cross_entropy_with_logits(a, b),
    "cosine_similarity": lambda a, b, big: F.cosine_similarity(big, b),
    "pairwise_distance": lambda a, b, big: F.pairwise_distance(big, b),
    "layer_norm": lambda a, b, big: F.layer_norm(big, (6,), b[0], b[1]),
    "group_norm": lambda a, b, big: F.group_norm(big, 2, b[0], b[1]),
    "batch_norm": lambda a, b, big: F.batch_norm(big, None, None, b[0], b[1], training=True),
    "gelu": lambda a, b, big: F.gelu(big, approximate="tanh"),
    "silu": lambda a, b, big: F.silu(a),
    "softplus": lambda a, b, big: F.softplus(a),
}


@pytest.mark.parametrize("name", CALLS)
def test_float16_gives_what_float32_gives_rounded(name):
    call = CALLS[name]
    halves = [mt.tensor(array, requires_grad=True) for array in (A, B, 100 * A)]
    singles = [mt.tensor(array, requires_grad=True) for array in (A, B, 100 * A)]
    half = call(*halves)
    single = call(*[tensor.type(mt.float32) for tensor in singles])
    assert half.dtype == mt.float16
    np.testing.assert_allclose(half.detach().numpy(), single.detach().numpy().astype(np.float16), rtol=2e-3, atol=1e-4)
    g = rng.standard_normal(half.shape).astype(np.float16)
    half.backward(mt.tensor(g))
    single.backward(mt.tensor(g.astype(np.float32)))
    for got, right in zip(halves, singles):
        if right.grad is not None:
            assert got.grad.dtype == mt.float16
            scale = max(float(np.abs(right.grad.numpy()).max()), 1e-3)
            np.testing.assert_allclose(got.grad.numpy(), right.grad.numpy(), rtol=5e-3, atol=5e-3 * scale)


def test_a_mixture_of_float16_and_float32_is_still_refused():
    with pytest.raises(TypeError, match="mse_loss: expected one floating dtype"):
        F.mse_loss(mt.ones(3, dtype=mt.float16), mt.ones(3))


def test_batch_norm_moves_float16_statistics_by_what_it_computed_in_float32():
    x = mt.full((8, 1, 100, 100), 2.0, dtype=mt.float16)
    x[0] = 4.0
    means, variances = mt.zeros(1, dtype=mt.float16), mt.ones(1, dtype=mt.float16)
    F.batch_norm(x, means, variances, training=True)
    assert means.dtype == mt.float16
    assert abs(means.item() - 0.225) < 1e-3
    assert abs(variances.item() - (0.9 + 0.1 * 0.4375)) < 1e-3


def test_what_is_added_at_one_place_does_not_end_at_2048():
    ones, first = mt.ones(5000, dtype=mt.float16), mt.zeros(5000, dtype=mt.int64)
    zero = mt.zeros(1, dtype=mt.float16)
    assert zero.scatter_add(0, first, ones).item() == zero.index_add(0, first, ones).item() == 5000
    table = mt.ones(1, 1, dtype=mt.float16, requires_grad=True)
    F.embedding(first, table).sum().backward()
    assert table.grad.item() == 5000


def test_scores_of_attention_may_be_beyond_the_range():
    q = mt.full((1, 2, 2), 300.0, dtype=mt.float16)
    y = F.scaled_dot_product_attention(q, q, q, attn_mask=mt.full((2, 2), -60000.0, dtype=mt.float16))
    assert y.dtype == mt.float16 and y.tolist() == q.tolist()
