"""How parameters start."""

import math

import numpy as np
import pytest

import layers as nn
import minitorch as mt

BOUNDED = [  # a layer, and the fan in that bounds its weight and bias by 1 / sqrt(fan in)
    (lambda: nn.Linear(400, 300), 400),
    (lambda: nn.Conv2d(40, 60, (3, 5)), 600),
    (lambda: nn.Conv2d(40, 60, 5, groups=4), 250),
    (lambda: nn.ConvTranspose2d(40, 60, 5, groups=4), 375),
]


@pytest.mark.parametrize(("make", "fan_in"), BOUNDED)
def test_layers_start_uniform_between_their_bounds(make, fan_in):
    layer, bound = make(), 1 / math.sqrt(fan_in)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    n = weight.size
    # five standard errors, and the outermost of n draws within 20 / n of the bound
    assert abs(weight.mean()) < 5 * bound / math.sqrt(3 * n)
    assert weight.std() == pytest.approx(bound / math.sqrt(3), rel=5 / math.sqrt(n))
    assert bound * (1 - 20 / n) < np.abs(weight).max() <= bound
    assert bound * 0.5 < np.abs(bias).max() <= bound


def test_an_embedding_starts_normal_with_a_padding_row_of_zeros():
    table = nn.Embedding(500, 100, padding_idx=-1)
    weight = table.weight.detach().numpy()
    assert table.padding_idx == 499
    assert nn.Embedding(3, 2, padding_idx=-3).padding_idx == 0
    assert not weight[-1].any()
    assert weight[:-1].mean() == pytest.approx(0, abs=5 / math.sqrt(weight.size))
    assert weight[:-1].std() == pytest.approx(1, abs=5 / math.sqrt(2 * weight.size))


def truncated(mean, std, a, b):
    """The arguments of trunc_normal_, and the mean and the standard deviation of that distribution."""
    low, high = (a - mean) / std, (b - mean) / std
    density = [0.0 if math.isinf(x) else math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (low, high)]
    below, above = (math.erfc(abs(x) / math.sqrt(2)) / 2 for x in (low, high))  # the tails beyond the bounds
    inside = abs(below - above) if low * high > 0 else 1 - below - above
    shift = (density[0] - density[1]) / inside
    edges = sum(x * p for x, p in zip((low, -high), density) if p) / inside
    return {"mean": mean, "std": std, "a": a, "b": b}, mean + std * shift, std * math.sqrt(1 + edges - shift**2)


TRUNCATED = [
    truncated(0.0, 1.0, -2.0, 2.0),
    truncated(0.0, 0.02, -2.0, 2.0),  # as in vision transformers: no bound is met
    truncated(1.0, 2.0, -1.0, 1.5),
    truncated(0.0, 1.0, 3.0, 4.0),  # a tail
    truncated(0.0, 1.0, -math.inf, -5.0),
]
INITS = [  # of a tensor (80, 40, 5, 3): fan in 600, fan out 1,200
    (nn.init.uniform_, {"a": -1.0, "b": 3.0}, 1.0, 4 / math.sqrt(12)),
    (nn.init.normal_, {"mean": 2.0, "std": 0.5}, 2.0, 0.5),
    *((nn.init.trunc_normal_, *row) for row in TRUNCATED),
    (nn.init.xavier_uniform_, {"gain": 2.0}, 0.0, 2 * math.sqrt(2 / 1800)),
    (nn.init.xavier_normal_, {}, 0.0, math.sqrt(2 / 1800)),
    (nn.init.kaiming_uniform_, {"nonlinearity": "relu"}, 0.0, math.sqrt(2 / 600)),
    (nn.init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "tanh"}, 0.0, 5 / 3 / math.sqrt(1200)),
]


@pytest.mark.parametrize(("rule", "arguments", "mean", "std"), INITS, ids=lambda value: getattr(value, "__name__", ""))
def test_init_draws_have_the_mean_and_deviation_they_should(rule, arguments, mean, std):
    tensor = mt.zeros(80, 40, 5, 3, requires_grad=True)
    assert rule(tensor, **arguments) is tensor
    n = tensor.numel()
    assert tensor.detach().numpy().mean() == pytest.approx(mean, abs=5 * std / math.sqrt(n))
    assert tensor.detach().numpy().std() == pytest.approx(std, rel=5 / math.sqrt(n))
    assert tensor.grad_fn is None


@pytest.mark.parametrize("rule", [*dict.fromkeys(rule for rule, *_ in INITS), nn.init.orthogonal_])
def test_init_draws_from_the_generator_it_is_given_or_the_default_one(rule):
    def drawn(generator=None):
        return rule(mt.zeros(4, 3), generator=generator)

    given = drawn(mt.Generator().manual_seed(7))
    mt.manual_seed(7)
    assert mt.equal(drawn(), given)
    assert not mt.equal(drawn(), given)


@pytest.mark.parametrize("arguments", [row[0] for row in TRUNCATED])
def test_truncated_numbers_lie_within_the_bounds_and_spread_as_the_normal_ones_there(arguments):
    mean, std, a, b = arguments.values()
    drawn = nn.init.trunc_normal_(mt.zeros(20_000), **arguments).double()
    assert drawn.min() >= a and drawn.max() <= b
    sign = 1 if a + b > 2 * mean else -1  # the side on which the numbers are small probabilities, not 1 minus these

    def beyond(x):
        return math.erfc(sign * (x - mean) / std / math.sqrt(2)) / 2

    for share in (0.1, 0.5, 0.9):
        quantile = drawn.quantile(share).item()
        reached = (beyond(a) - beyond(quantile)) / (beyond(a) - beyond(b))
        assert reached == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / 20_000))


def test_truncation_to_one_number_or_of_no_or_one_element(device):
    assert (nn.init.trunc_normal_(mt.zeros(3, device=device), a=0.5, b=0.5) == 0.5).all()
    assert nn.init.trunc_normal_(mt.zeros(0)).shape == (0,)
    assert abs(nn.init.trunc_normal_(mt.tensor(7.0)).item()) <= 2


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3), (4, 4)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    matrix = nn.init.orthogonal_(mt.zeros(shape, dtype=mt.float64), gain=2.0).numpy().reshape(shape[0], -1) / 2
    product = matrix @ matrix.T if shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
def test_orthogonal_leaves_an_empty_tensor_alone(shape):
    assert nn.init.orthogonal_(mt.zeros(shape)).shape == shape


def test_orthogonal_matrices_have_no_preferred_sign():
    diagonals = [nn.init.orthogonal_(mt.zeros(2, 2))[0, 0].item() > 0 for _ in range(200)]
    assert 60 < sum(diagonals) < 140


def test_constants_fill_a_parameter_without_a_trace():
    weight = nn.Parameter(mt.randn(2, 3))
    assert nn.init.constant_(weight, 1.5).tolist() == [[1.5] * 3] * 2
    assert nn.init.eye_(weight).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert nn.init.zeros_(weight).tolist() == [[0] * 3] * 2
    assert nn.init.ones_(weight).tolist() == [[1] * 3] * 2
    assert weight.is_leaf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.init.xavier_uniform_(mt.zeros(3)), r"at least 2 dimensions, got shape \(3,\)"),
        (lambda: nn.init.kaiming_normal_(mt.zeros(3, 3), mode="fan"), "expected mode 'fan_in' or 'fan_out', got 'fan'"),
        (lambda: nn.init.kaiming_normal_(mt.zeros(3, 3), nonlinearity="swish"), "got 'swish'"),
        (lambda: nn.init.calculate_gain("leaky_relu", "steep"), "expected a number as negative slope, got 'steep'"),
        (
            lambda: nn.init.trunc_normal_(mt.zeros(3), a=1.0, b=0.0),
            r"trunc_normal_: .* a <= b, got float32, .* a=1.0, b=0.0",
        ),
        (lambda: nn.init.trunc_normal_(mt.zeros(3), std=0.0), r"trunc_normal_: expected floats, std > 0"),
        (lambda: nn.init.trunc_normal_(mt.zeros(3), mean=math.nan), r"trunc_normal_: expected .* mean=nan"),
        (lambda: nn.init.trunc_normal_(mt.zeros(3, dtype=mt.int64)), r"trunc_normal_: expected floats.* got int64"),
        (lambda: nn.init.eye_(mt.zeros(3)), r"eye_: expected a matrix, got shape \(3,\)"),
        (lambda: nn.init.orthogonal_(mt.zeros(3)), r"orthogonal_: expected at least 2 dimensions, got shape \(3,\)"),
    ],
)
def test_init_refuses_what_it_cannot_fill(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_layer_without_inputs_has_a_bias_of_zero():
    assert nn.Linear(0, 3).bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 2), lambda: nn.Conv2d(2, 2, 3), lambda: nn.Embedding(5, 2, 1)])
def test_reset_parameters_starts_again_in_the_same_memory(make):
    mt.manual_seed(5)
    layer = make()
    start, array = layer.weight.detach().clone(), layer.weight.array
    mt.manual_seed(5)
    nn.init.zeros_(layer.weight)
    layer.reset_parameters()
    assert mt.equal(layer.weight, start)
    assert layer.weight.array is array
