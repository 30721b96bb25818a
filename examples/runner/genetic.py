"""The genetic search of report 004: of a population of choices the fittest breed, and different choices count as fitter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Individual = dict[str, Any]
"""A value for each parameter of the space that is searched, by its name."""

DIVERSITY = 0.75  # the weight of individuality beside accuracy, set by hand in the report
KEPT = 0.6  # the share of a population that lives on


def random_individual(space: Mapping[str, Sequence[Any]], rng: np.random.Generator) -> Individual:
    """A random value for each parameter."""
    return {name: values[rng.integers(len(values))] for name, values in space.items()}


def individuality(individual: Individual, population: Sequence[Individual]) -> float:
    """I_n = 1 / sum over the parameters of 1 / (N - N_v), with N_v of the N individuals sharing this one's value.

    The report sums N - N_v over "the actual values" of the parameter. A sum over all of its values would be the same for every
    individual, so the actual value is read as the one that individual n has. The rarer its values, the larger I_n: for ten
    individuals of six parameters up to 9/6. Where all share a value, 1/0 is read as infinite: I_n is 0, for all of them.
    """
    others = [sum(other[name] != value for other in population) for name, value in individual.items()]  # N - N_v
    return 1 / sum(1 / count for count in others) if all(others) else 0.0


def fitness(population: Sequence[Individual], accuracies: Sequence[float]) -> list[float]:
    """M_n = accuracy_n + 0.75 I_n for each individual, accuracies from 0 to 1."""
    return [accuracy + DIVERSITY * individuality(one, population) for one, accuracy in zip(population, accuracies)]


def next_generation(
    population: Sequence[Individual], accuracies: Sequence[float], rng: np.random.Generator
) -> list[Individual]:
    """The fittest 60 %, and in place of the others children, which get each parameter from a random one of the fittest.

    There is no mutation: a value that is lost stays lost.
    """
    ranked = np.argsort(fitness(population, accuracies), kind="stable")[::-1]
    parents = [population[place] for place in ranked[: round(KEPT * len(population))]]
    children = [
        {name: parents[rng.integers(len(parents))][name] for name in parents[0]} for _ in range(len(population) - len(parents))
    ]
    return parents + children
