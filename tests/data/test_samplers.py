"""Samplers."""

from itertools import islice

import pytest

import minitorch as mt
from minitorch.utils.data import DataLoader, RandomSampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler
from tests.data.datasets import seeded


def test_random_samplers_hold_every_position_once_and_follow_their_generator():
    for make in (RandomSampler, SubsetRandomSampler):
        first, second = (list(make(range(3, 33), generator=seeded(1))) for _ in range(2))
        assert first == second
        assert sorted(first) == list(range(30) if make is RandomSampler else range(3, 33))
        sampler = make(range(30), generator=seeded(1))
        assert list(sampler) != list(sampler)
        assert len(sampler) == 30


def test_a_random_sampler_gives_as_many_as_it_is_asked_for():
    more = list(RandomSampler(range(4), num_samples=10, generator=seeded()))
    assert [sorted(more[:4]), sorted(more[4:8]), len(more)] == [[0, 1, 2, 3], [0, 1, 2, 3], 10]
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=300, generator=seeded()))
    assert set(drawn) == {0, 1, 2}
    assert len(drawn) == 300


def test_an_epoch_may_have_more_positions_than_fit_into_memory():
    endless, again = (RandomSampler(range(5), replacement=True, num_samples=10**15, generator=seeded()) for _ in range(2))
    first = mt.cat(list(islice(DataLoader(range(5), batch_size=4, sampler=endless), 2000))).tolist()
    assert set(first) == set(range(5)) and first[:4096] != first[4096:8192]
    assert first == list(islice(again, 8000))
    assert len(endless) == 10**15


@pytest.mark.parametrize("options", [{"replacement": True, "num_samples": 9000}, {"num_samples": 25}, {}])
def test_what_else_draws_within_an_epoch_changes_nothing(options):
    """Dropout draws from the default generator, and so does a sampler that is asked for its rest, as by a checkpoint."""
    orders = []
    for draws in (0, 3):
        mt.manual_seed(1)
        sampler = iter(RandomSampler(range(10), **options))
        first = next(sampler)
        mt.rand(draws)
        orders.append([first, *sampler])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("options", [{}, {"replacement": True}, {"num_samples": 25}])
def test_making_a_loader_draws_nothing(options):
    mt.manual_seed(1)
    samplers = RandomSampler(range(10), **options), SubsetRandomSampler([1, 3]), WeightedRandomSampler([1.0, 2.0], 5)
    for sampler in samplers:
        DataLoader(range(10), sampler=sampler)
    drawn = mt.rand(1)
    assert drawn.item() == (mt.manual_seed(1), mt.rand(1))[1].item()


def test_a_data_set_may_grow():
    samples = [0, 1]
    loaders = [DataLoader(samples, batch_size=5, shuffle=shuffle) for shuffle in (False, True)]
    assert [type(loader.sampler) for loader in loaders] == [SequentialSampler, RandomSampler]
    samples.append(2)
    for loader in loaders:
        assert [sorted(batch.tolist()) for batch in loader] == [[0, 1, 2]]
        assert len(loader.sampler) == 3


def test_a_weighted_sampler_draws_in_proportion():
    drawn = list(WeightedRandomSampler(mt.tensor([1.0, 0.0, 3.0]), 4000, generator=seeded()))
    assert len(drawn) == 4000
    assert drawn.count(1) == 0
    assert abs(drawn.count(2) / 4000 - 0.75) < 5 * (0.75 * 0.25 / 4000) ** 0.5
    assert sorted(WeightedRandomSampler([0.5, 2.0, 1.0], 3, replacement=False)) == [0, 1, 2]


def test_samplers_are_found_where_pytorch_has_them():
    assert mt.utils.data.sampler.SubsetRandomSampler is SubsetRandomSampler
