"""Batch normalisation and dropout: statistics, modes, and what is refused."""

import math

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from minitorch.ops import norm as norm_ops
from minitorch.ops.images import at_pixels
from tests import fakecupy

# ---- batch normalisation -------------------------------------------------------------------------------------------------


def test_batch_norm_counts_batches_in_training_only():
    norm = nn.BatchNorm1d(2)
    norm(mt.randn(4, 2))
    norm.eval()(mt.randn(4, 2))
    assert norm.num_batches_tracked.item() == 1
    assert norm.num_batches_tracked.dtype == mt.int64


def test_batch_norm_without_momentum_averages_over_all_batches():
    norm, batches = nn.BatchNorm1d(2, momentum=None), [mt.randn(8, 2) + i for i in range(3)]
    for batch in batches:
        norm(batch)
    np.testing.assert_allclose(norm.running_mean.numpy(), np.mean([b.numpy().mean(0) for b in batches], 0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), np.mean([b.numpy().var(0, ddof=1) for b in batches], 0), rtol=1e-5)


def test_batch_norm_whose_tracking_is_switched_off_keeps_its_statistics():
    norm, x = nn.BatchNorm1d(2), mt.randn(4, 2) + 3
    norm.track_running_stats = False
    assert mt.allclose(norm(x).mean(0), mt.zeros(2), atol=1e-5)
    assert norm.running_mean.tolist() == [0.0, 0.0] and norm.num_batches_tracked.item() == 0
    norm.eval()
    assert mt.allclose(norm(x), x, atol=1e-4)


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation_too():
    norm, x = nn.BatchNorm1d(2, track_running_stats=False), mt.randn(8, 2) * 3 + 1
    assert list(norm.state_dict()) == ["weight", "bias"]
    assert mt.equal(norm.eval()(x), norm.train()(x))


def test_batch_norm_works_along_whole_images_where_numpy_would_stop_at_each_pixel(monkeypatch):
    sizes = []
    monkeypatch.setattr(norm_ops, "at_pixels", lambda *given: sizes.append(given[1:]) or at_pixels(*given))
    start = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype(np.float32)

    def run(x):
        sizes.clear()
        x.requires_grad_()
        norm = nn.BatchNorm2d(x.shape[1]).to(x.device) if x.ndim == 4 else nn.BatchNorm1d(x.shape[1])
        norm(x).square().sum().backward()
        return x.grad

    images = run(mt.from_numpy(start.transpose(0, 3, 1, 2)))
    assert sizes == [(4, 5)] * 7  # mean, scale and bias; mean, both means of the gradient, and scale
    planes = run(mt.from_numpy(np.ascontiguousarray(start.transpose(0, 3, 1, 2))))
    assert not sizes
    np.testing.assert_allclose(images.array, planes.array, atol=2e-6)
    run(mt.from_numpy(start.reshape(-1, 3)))
    assert not sizes
    nn.LayerNorm((4, 5))(mt.from_numpy(start.transpose(0, 3, 1, 2)))
    assert not sizes
    with fakecupy.install():
        on_gpu = run(mt.from_numpy(start).cuda().permute(0, 3, 1, 2).detach())
        assert not sizes
        np.testing.assert_allclose(on_gpu.cpu().array, planes.array, atol=2e-6)


@pytest.mark.parametrize("channels", [8, 16, 32, 64])
def test_group_norm_is_the_same_in_both_orders_of_memory_where_rows_are_as_many_as_channels(channels):
    rng, results = np.random.default_rng(0), []
    images, upstream = rng.normal(size=(2, 1, channels, 32, 64))
    norm = nn.GroupNorm(4, channels, dtype=mt.float64)
    for order in (images, np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)):
        x = mt.from_numpy(order).requires_grad_()
        y = norm(x)
        results.append([y, *mt.autograd.grad(y, [x, *norm.parameters()], mt.from_numpy(upstream))])
    for plain, last in zip(*results):
        np.testing.assert_allclose(last.detach().numpy(), plain.detach().numpy(), atol=1e-10)


def test_batch_norm_starts_again_on_reset():
    norm = nn.BatchNorm2d(2)
    norm(mt.randn(4, 2, 3, 3) + 5)
    nn.init.zeros_(norm.weight)
    norm.reset_parameters()
    assert norm.running_mean.tolist() == norm.bias.tolist() == [0, 0]
    assert norm.running_var.tolist() == norm.weight.tolist() == [1, 1]
    assert norm.num_batches_tracked.item() == 0


def test_a_batch_that_is_refused_leaves_no_trace_in_the_statistics():
    norm = nn.BatchNorm1d(2)
    for bad in (mt.randn(1, 2), mt.randn(4, 3)):
        with pytest.raises(ValueError, match="batch_norm"):
            norm(bad)
    assert norm.num_batches_tracked.item() == 0
    assert norm.running_mean.tolist() == [0, 0]


# ---- dropout -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "unit"), [(nn.Dropout(0.3), (1, 1)), (nn.Dropout2d(0.3), (5, 5))])
def test_dropout_drops_its_share_and_scales_the_rest(layer, unit):
    out = layer(mt.ones(100, 20, *unit)).numpy()
    units = out.reshape(2000, -1)
    assert (units == units[:, :1]).all()  # a channel falls as a whole
    assert set(np.unique(units)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (units[:, 0] == 0).mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / 2000))


def test_dropout_hands_its_input_on_in_evaluation():
    x = mt.randn(3, 4)
    assert nn.Dropout(0.5).eval()(x) is x
