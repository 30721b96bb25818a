"""Distributions: their draws, closed forms, gradients, and what they refuse."""

import math
import re

import numpy as np
import pytest

import minitorch as mt
from minitorch.distributions import Bernoulli, Categorical, Multinomial, MultivariateNormal, Normal, Uniform


def numbers(*shape, low=0.2, high=0.8, seed=0):
    return np.random.default_rng(seed).uniform(low, high, shape)


COVARIANCE = np.array([[2.0, -0.6], [-0.6, 0.5]])
FACTORS = np.array([[[1.5, 0.0], [-0.7, 0.4]], [[0.9, 0.0], [2.0, 1.1]]])
MAKE = {
    "Normal": lambda d, t: d.Normal(t(numbers(3)), t(numbers(2, 1))),
    "MultivariateNormal": lambda d, t: d.MultivariateNormal(t(numbers(2)), t(COVARIANCE)),
    "MultivariateNormal of a factor": lambda d, t: d.MultivariateNormal(t(numbers(3, 1, 2)), scale_tril=t(FACTORS)),
    "MultivariateNormal of an inverse": lambda d, t: d.MultivariateNormal(
        t(numbers(2)), precision_matrix=t(FACTORS @ FACTORS.mT)
    ),
    "Uniform": lambda d, t: d.Uniform(t(numbers(3)), t(numbers(3) + 1)),
    "Bernoulli": lambda d, t: d.Bernoulli(t(numbers(3))),
    "Bernoulli logits": lambda d, t: d.Bernoulli(logits=t(numbers(3, low=-2, high=2))),
    "Categorical": lambda d, t: d.Categorical(t(numbers(3, 4))),
    "Categorical logits": lambda d, t: d.Categorical(logits=t(numbers(3, 4, low=-2, high=2))),
}
with_each = pytest.mark.parametrize("name", MAKE)


def test_printed_as_pytorch_prints_it():
    assert repr(Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(Uniform(mt.zeros(2, 3), mt.ones(3))) == "Uniform(low: torch.Size([2, 3]), high: torch.Size([2, 3]))"
    assert repr(Categorical(logits=mt.ones(3))) == "Categorical(logits: torch.Size([3]))"
    assert repr(MultivariateNormal(mt.zeros(2), precision_matrix=mt.eye(2))) == (
        "MultivariateNormal(loc: torch.Size([2]), precision_matrix: torch.Size([2, 2]))"
    )
    assert repr(Bernoulli(mt.ones(2, 1))) == "Bernoulli(probs: torch.Size([2, 1]))"


def made(name, seed=0):
    return MAKE[name](mt.distributions, lambda values: mt.tensor(values * (1 + seed * 0.1), dtype=mt.float64))


@with_each
def test_draws_have_the_mean_and_variance_they_should(name):
    mt.manual_seed(0)
    distribution = made(name)
    drawn = distribution.sample((4000,)).double().numpy()
    assert drawn.shape == (4000, *distribution.batch_shape, *distribution.event_shape)
    if name.startswith("Categorical"):
        for i in range(4):
            np.testing.assert_allclose((drawn == i).mean(0), distribution.probs[..., i].numpy(), atol=5 * 0.5 / math.sqrt(4000))
    else:
        spread = distribution.stddev.numpy() / math.sqrt(4000)
        assert (abs(drawn.mean(0) - distribution.mean.numpy()) < 5 * spread).all()
        np.testing.assert_allclose(drawn.var(0), distribution.variance.numpy(), rtol=0.2)


def test_gradients_flow_through_draws_to_the_parameters():
    loc, scale = mt.tensor([1.0, 2.0], requires_grad=True), mt.tensor([0.5, 1.5], requires_grad=True)
    drawn = Normal(loc, scale).rsample((3,))
    drawn.sum().backward()
    assert loc.grad.tolist() == [3, 3]
    np.testing.assert_allclose(scale.grad.numpy(), ((drawn.detach() - loc.detach()) / scale.detach()).sum(0).numpy(), rtol=1e-5)
    assert not Normal(loc, scale).sample().requires_grad
    with pytest.raises(NotImplementedError, match="Bernoulli: there is no rsample"):
        Bernoulli(0.5).rsample()


@with_each
@pytest.mark.parity
def test_closed_forms_are_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = made(name), MAKE[name](torch.distributions, torch.tensor)
    value = theirs.sample((2,)).numpy()
    pairs = [(ours.log_prob(mt.tensor(value)), theirs.log_prob(torch.tensor(value))), (ours.entropy(), theirs.entropy())]
    if not name.startswith("Categorical"):
        pairs += [(getattr(ours, what), getattr(theirs, what)) for what in ("mean", "variance", "stddev")]
    for mine, its in pairs:
        np.testing.assert_allclose(mine.numpy(), its.numpy(), rtol=1e-10)
        assert mine.dtype == mt.float64


@pytest.mark.parity
@pytest.mark.parametrize("name", [name for name in MAKE if name.startswith("MultivariateNormal")])
def test_the_matrices_of_a_normal_vector_and_all_derivatives_are_pytorch_s(name):
    found, torch = [], pytest.importorskip("torch", reason="PyTorch is not installed")
    for library in (mt, torch):
        leaves = []

        def leaf(values, library=library, leaves=leaves):
            leaves.append(library.tensor(values, dtype=library.float64, requires_grad=True))
            return leaves[-1]

        made = MAKE[name](library.distributions, leaf)
        logs = made.log_prob(library.tensor(numbers(2, 1, 1, 2, seed=1)))
        matrices = [made.covariance_matrix, made.precision_matrix, made.scale_tril]
        total = sum(x.sin().sum() for x in (logs, made.entropy(), *matrices))
        grads = library.autograd.grad(total, leaves, create_graph=True)
        second = library.autograd.grad(sum(x.sin().sum() for x in grads), leaves)
        found.append([x.detach().numpy() for x in (logs, *matrices, *grads, *second)])
        assert made.rsample((3,)).requires_grad
    for mine, its in zip(*found):
        np.testing.assert_allclose(mine, its, rtol=1e-10, atol=1e-10)


def test_a_density_is_nowhere_outside_and_its_gradient_is_the_score():
    logs = Uniform(0.0, 2.0, validate_args=False).log_prob(mt.tensor([-1.0, 1.0, 2.0])).tolist()
    assert logs == [-math.inf, pytest.approx(-math.log(2)), -math.inf]
    logits = mt.zeros(3, dtype=mt.float64, requires_grad=True)
    Categorical(logits=logits).log_prob(mt.tensor(1)).backward()
    np.testing.assert_allclose(logits.grad.numpy(), [-1 / 3, 2 / 3, -1 / 3])


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        (lambda: Normal(0.0, 0.0), ValueError, "Normal: expected a scale above 0, got 0.0"),
        (lambda: Uniform(1.0, 1.0), ValueError, "Uniform: expected low below high"),
        (lambda: Bernoulli(1.5), ValueError, "Bernoulli: expected probabilities, got 1.5"),
        (lambda: Categorical(mt.tensor([0.5, -0.5])), ValueError, "Categorical: expected probabilities, got -0.5"),
        # what a net that has broken down would sample from, and be trained on, without a word
        (lambda: Normal(math.nan, 1.0), ValueError, "Normal: expected a number as loc, got nan"),
        (lambda: Normal(0.0, mt.tensor([1.0, math.nan])), ValueError, "Normal: expected a scale above 0, got nan"),
        (
            lambda: Categorical(logits=mt.tensor([0.0, math.nan])),
            ValueError,
            "Categorical: expected numbers as logits, got nan",
        ),
        (lambda: Bernoulli(logits=math.nan), ValueError, "Bernoulli: expected numbers as logits, got nan"),
        (lambda: Categorical(mt.zeros(2)), ValueError, "Categorical: expected at least one probability above 0, got 0.0"),
        (lambda: Categorical(logits=mt.full((2,), -math.inf)), ValueError, "in each row one above -inf, got -inf"),
        (lambda: Categorical(logits=mt.tensor([0.0, math.inf])), ValueError, "expected logits below inf"),
        (lambda: Categorical(mt.ones(2, 0)), ValueError, "Categorical: expected a last dimension of one class or more"),
        (lambda: Uniform(-math.inf, 1.0), ValueError, "Uniform: expected low below high, with a finite difference"),
        (lambda: Multinomial(-1, mt.ones(2)), ValueError, "Multinomial: expected a total_count of 0 or more, got -1"),
        (lambda: Multinomial(3, mt.ones(3)).log_prob(mt.tensor([3.0])), ValueError, "expected values (..., 3), got shape (1,)"),
        (lambda: Normal(0.0, 1.0).log_prob(mt.tensor(math.nan)), ValueError, "Normal: expected numbers as values, got nan"),
        (
            lambda: Uniform(0.0, 1.0).log_prob(mt.tensor([0.5, 2.0])),
            ValueError,
            "Uniform: expected values from low to high, got 2.0",
        ),
        (lambda: Bernoulli(0.5).log_prob(mt.tensor(0.3)), ValueError, "Bernoulli: expected values of 0 or 1, got 0.3"),
        (lambda: Categorical(mt.ones(2)).log_prob(mt.tensor(2)), ValueError, "Categorical: expected classes below 2, got 2"),
        (
            lambda: Multinomial(2, mt.ones(2)).log_prob(mt.ones(3)[:2] * 2),
            ValueError,
            "Multinomial: expected counts of 2 draws, got [2.0, 2.0]",
        ),
        (
            lambda: MultivariateNormal(mt.ones(2)),
            ValueError,
            "expected one of covariance_matrix, precision_matrix, scale_tril, got 0",
        ),
        (
            lambda: MultivariateNormal(mt.ones(2), mt.eye(3)),
            ValueError,
            "covariance_matrix (..., n, n), got (2,) and (3, 3)",
        ),
        (
            lambda: MultivariateNormal(mt.ones(2), mt.ones(2, 2).tril()),
            ValueError,
            "expected a symmetric covariance_matrix, got 0.0",
        ),
        (lambda: MultivariateNormal(mt.ones(2), mt.ones(2, 2)), ValueError, "ositive definite"),
        (
            lambda: MultivariateNormal(mt.ones(2), scale_tril=mt.ones(2, 2)),
            ValueError,
            "expected a lower triangular scale_tril",
        ),
        (
            lambda: MultivariateNormal(mt.ones(2), mt.eye(2)).log_prob(mt.ones(2, 1)),
            ValueError,
            "values (..., 2), got shape (2, 1)",
        ),
        (lambda: Uniform(mt.zeros(3), 1.0).log_prob(mt.zeros(2)), ValueError, "(inputs: (2,) float32, (3,) float32)"),
        (lambda: Bernoulli(), ValueError, "Bernoulli: expected either probs or logits"),
    ],
)
def test_what_is_no_distribution_is_refused(act, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        act()


def test_a_multinomial_counts_the_draws_of_each_class():
    mt.manual_seed(0)
    counts = Multinomial(1000, mt.tensor([0.2, 0.0, 0.8])).sample((2,))
    assert counts.shape == (2, 3) and counts.sum(1).tolist() == [1000.0, 1000.0] and counts[:, 1].tolist() == [0.0, 0.0]
    assert abs(float(counts[0, 0]) - 200) < 80
    chances = Multinomial(2, mt.tensor([0.25, 0.75])).log_prob(mt.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).exp()
    assert mt.allclose(chances, mt.tensor([1.0, 6.0, 9.0]) / 16)


@pytest.mark.parity
def test_classes_that_cannot_be_drawn_and_whole_numbers_count_as_in_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    found = []
    for library in (mt, torch):
        logits = library.tensor([0.0, -math.inf, 0.5], dtype=library.float64, requires_grad=True)  # a masked action
        masked = library.distributions.Categorical(logits=logits)
        masked.entropy().backward()
        counts = library.distributions.Multinomial(3, logits=logits)
        whole = counts.log_prob(library.tensor([1, 0, 2]))
        half = library.distributions.Categorical(library.tensor([0.0, 1.0, 0.5], dtype=library.float16))
        numbers = [masked.entropy(), logits.grad, counts.log_prob(library.tensor([[3.0, 0, 0], [0, 1, 2]])), whole]
        numbers += [counts.mean, counts.variance, half.entropy()]
        found.append([x.detach().numpy() for x in numbers])
        assert (tuple(counts.batch_shape), tuple(counts.event_shape)) == ((), (3,))
    for mine, its in zip(*found):
        np.testing.assert_allclose(mine, its, rtol=1e-7 if mine.dtype == np.float64 else 1e-3)


def test_a_divergence_of_masked_classes_has_a_gradient():
    logits = [mt.tensor([0.0, -math.inf, last], requires_grad=True) for last in (0.5, 0.0)]
    mt.distributions.kl_divergence(*(Categorical(logits=x) for x in logits)).backward()
    pairs = [mt.tensor([0.0, last], requires_grad=True) for last in (0.5, 0.0)]
    mt.distributions.kl_divergence(*(Categorical(logits=x) for x in pairs)).backward()
    for masked, pair in zip(logits, pairs):
        np.testing.assert_allclose(masked.grad.numpy()[[0, 2]], pair.grad.numpy())
        assert masked.grad[1] == 0


def test_numbers_beside_whole_numbers_keep_their_fractions():
    assert Normal(mt.tensor([0, 1]), 1.5).scale.tolist() == [1.5, 1.5]


def test_a_uniform_draw_is_never_the_upper_bound_whose_density_is_0():
    mt.manual_seed(0)
    bounds = mt.tensor([1.0, 2.0], dtype=mt.float16)
    uniform = Uniform(*bounds)
    assert uniform.log_prob(uniform.sample((20_000,))).min() == 0


PAIRS = {
    "Normal": (
        lambda d, t: d.Normal(t([0.0, 1.0]), t([1.0, 2.0])),
        lambda d, t: d.Normal(t([[0.5], [3.0]]), t([[0.3], [4.0]])),
    ),
    "Bernoulli": (lambda d, t: d.Bernoulli(t([0.0, 0.3, 1.0, 0.4])), lambda d, t: d.Bernoulli(t([0.5, 0.0, 0.9, 0.4]))),
    "Bernoulli of logits": (lambda d, t: d.Bernoulli(logits=t([40.0, -2.0])), lambda d, t: d.Bernoulli(logits=t([-40.0, 3.0]))),
    "Categorical": (
        lambda d, t: d.Categorical(t([[0.2, 0.8, 0.0]] * 2)),
        lambda d, t: d.Categorical(t([[1, 2, 1.0], [1, 0, 3]])),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_divergences_and_probabilities_up_to_a_value_are_pytorch_s(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    mine = mt.distributions.kl_divergence(*(make(mt.distributions, mt.tensor) for make in PAIRS[name]))
    theirs = torch.distributions.kl_divergence(*(make(torch.distributions, torch.tensor) for make in PAIRS[name]))
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), 1e-6)
    if name == "Normal":
        up_to = [
            PAIRS[name][1](d, t).cdf(t([-1.0, 0.0, 5.0])).numpy()
            for d, t in ((mt.distributions, mt.tensor), (torch.distributions, torch.tensor))
        ]
        np.testing.assert_allclose(*up_to, 1e-5, 1e-7)


def test_a_divergence_has_its_gradient_and_needs_two_of_a_kind():
    loc, scale = mt.tensor(1.0, requires_grad=True), mt.tensor(2.0, requires_grad=True)
    mt.distributions.kl_divergence(Normal(loc, scale), Normal(0.0, 1.0)).backward()
    assert loc.grad.item() == 1.0 and scale.grad.item() == pytest.approx(2 - 1 / 2)
    with pytest.raises(NotImplementedError, match="not written for Normal and Uniform"):
        mt.distributions.kl_divergence(Normal(0.0, 1.0), Uniform(0.0, 1.0))
