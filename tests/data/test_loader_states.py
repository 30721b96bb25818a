"""Stopping in the middle of an epoch, and going on."""

import re
from itertools import islice

import pytest

import minitorch as mt
from minitorch.utils.data import BatchSampler, DataLoader, RandomSampler, SubsetRandomSampler, WeightedRandomSampler
from tests.data.datasets import Squares, numbered, order, seeded


def stopped_after(loader, batches):
    """The state inside the loop, after so many batches."""
    assert len(list(islice(loader, batches))) == batches
    return loader.state_dict()


LOADERS = {
    "in order": lambda: DataLoader(numbered(), 3),
    "shuffled": lambda: DataLoader(numbered(), 3, shuffle=True, generator=seeded()),
    "shuffled, the incomplete batch left out": lambda: DataLoader(
        numbered(), 3, shuffle=True, generator=seeded(), drop_last=True
    ),
    "a sampler": lambda: DataLoader(numbered(), 3, sampler=[4, 2, 2, 8, 9, 1, 0]),
    "drawn": lambda: DataLoader(numbered(), 3, sampler=RandomSampler(numbered(), generator=seeded())),
    "drawn again": lambda: DataLoader(numbered(), 3, sampler=RandomSampler(numbered(), True, 25, generator=seeded())),
    "some, drawn": lambda: DataLoader(numbered(), 2, sampler=SubsetRandomSampler([1, 3, 4, 8, 9], generator=seeded())),
    "weighted": lambda: DataLoader(
        numbered(), 3, sampler=WeightedRandomSampler([1.0, 2.0] * 5, 12, generator=seeded()), drop_last=True
    ),
    "samples one by one": lambda: DataLoader(Squares(10), 4, shuffle=True, generator=seeded(), collate_fn=str),
}


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS)
def test_a_loader_goes_on_after_any_batch_and_the_epochs_after_are_the_same_too(make):
    loader = make()
    epochs = [list(map(str, loader)) for _ in range(3)]
    for batches in range(1, len(loader) + 1):
        loader = make()
        list(loader)
        state, resumed = stopped_after(loader, batches), make()
        resumed.load_state_dict(state)
        assert [list(map(str, resumed)) for _ in range(2)] == [epochs[1][batches:], epochs[2]]


def test_after_the_loop_a_whole_epoch_comes():
    loader, resumed = (DataLoader(numbered(), 3, shuffle=True, generator=seeded()) for _ in range(2))
    list(loader)
    resumed.load_state_dict(loader.state_dict())
    assert order(resumed) == order(loader)
    assert loader.state_dict()["batches"] == 0


def test_the_order_of_an_epoch_outlives_the_state_of_the_default_generator():
    loader = DataLoader(numbered(), 3, shuffle=True)
    mt.manual_seed(0)
    epoch = order(loader)
    mt.manual_seed(0)
    state = stopped_after(loader, 1)
    mt.rand(100)  # as dropout draws
    after = mt.get_rng_state()
    resumed = DataLoader(numbered(), 3, shuffle=True)
    resumed.load_state_dict(state)
    assert order(resumed) == epoch[1:]
    assert mt.get_rng_state().tolist() == after.tolist()  # nothing was drawn


def test_a_loaded_state_is_that_of_the_loader_until_the_next_batch():
    loader = DataLoader(numbered(), 3, shuffle=True, generator=seeded())
    state, resumed = stopped_after(loader, 2), DataLoader(numbered(), 3, shuffle=True, generator=seeded(1))
    resumed.load_state_dict(state)
    for _ in range(2):
        found = resumed.state_dict()
        assert (found["loader"], found["batches"]) == (state["loader"], 2)
        assert found["order"].tolist() == state["order"].tolist()
        assert found["generator"].tolist() == state["generator"].tolist()
        iter(resumed)  # without a batch nothing has begun


def test_a_loop_that_was_left_is_not_gone_on_with_unless_its_state_is_loaded():
    loader = DataLoader(numbered(), 3)
    state = stopped_after(loader, 2)
    assert order(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    loader.load_state_dict(state)
    assert order(loader) == [[6, 7, 8], [9]]
    assert len(order(loader)) == 4


def test_the_state_of_a_loader_is_saved_and_loaded(tmp_path):
    loader = DataLoader(numbered(), 3, shuffle=True, generator=seeded())
    mt.save(stopped_after(loader, 2), tmp_path / "file")
    resumed = DataLoader(numbered(), 3, shuffle=True, generator=seeded(1))
    resumed.load_state_dict(mt.load(tmp_path / "file"))
    rest = order(DataLoader(numbered(), 3, shuffle=True, generator=seeded()))[2:]
    assert order(resumed) == rest


def test_within_an_epoch_batches_that_cannot_be_drawn_again_are_not_saved():
    loader = DataLoader(numbered(), batch_sampler=BatchSampler(RandomSampler(numbered()), 3, False))
    assert loader.state_dict()["batches"] == 0
    with pytest.raises(ValueError, match=r"DataLoader.state_dict: the batches of a random batch_sampler cannot be given again"):
        stopped_after(loader, 1)


def test_the_order_of_a_random_sampler_outlives_the_state_of_the_default_generator():
    mt.manual_seed(0)
    epoch = order(DataLoader(numbered(), 3, sampler=RandomSampler(numbered())))
    mt.manual_seed(0)
    state = stopped_after(DataLoader(numbered(), 3, sampler=RandomSampler(numbered())), 2)
    mt.rand(100)  # as dropout draws
    resumed = DataLoader(numbered(), 3, sampler=RandomSampler(numbered()))
    resumed.load_state_dict(state)
    assert order(resumed) == epoch[2:]
    with pytest.raises(ValueError, match="expected an order of 10 samples, got None"):
        resumed.load_state_dict({**state, "order": None})


@pytest.mark.parametrize(
    "change, said",
    [
        ({"loader": None}, "expected the state of a loader with {'samples': 10, 'batch_size': 3, 'shuffle': True"),
        ({"loader": {"samples": 11}}, "got one with {'samples': 11}"),
        ({"batches": -1}, "expected a number of batches from 0 to 4, got -1"),
        ({"batches": 5}, "expected a number of batches from 0 to 4, got 5"),
        ({"batches": True}, "expected a number of batches from 0 to 4, got True"),
        ({"order": None}, "expected an order of 10 samples, got None"),
        ({"order": mt.arange(9)}, "expected an order of 10 samples, got tensor"),
        ({"order": mt.zeros(10, dtype=mt.int64)}, "expected an order of 10 samples, got tensor"),
        ({"generator": None}, "set_state: expected a uint8 tensor of 52 bytes"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, said):
    loader = DataLoader(numbered(), 3, shuffle=True, generator=seeded())
    expected = order(DataLoader(numbered(), 3, shuffle=True, generator=seeded(1)))
    state, resumed = stopped_after(loader, 2), DataLoader(numbered(), 3, shuffle=True, generator=seeded(1))
    with pytest.raises(ValueError, match=re.escape(said)):
        resumed.load_state_dict({**state, **change})
    with pytest.raises(ValueError, match="got one with list"):
        resumed.load_state_dict([])
    assert order(resumed) == expected


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS)
def test_asking_for_the_state_within_an_epoch_changes_nothing(make):
    loader = make()
    undisturbed = [list(map(str, loader)) for _ in range(2)]
    loader = make()
    for epoch in undisturbed:
        assert [(str(batch), loader.state_dict())[0] for batch in loader] == epoch
