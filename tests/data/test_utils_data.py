"""Data sets, splits and the loader: which samples come, in which order, as which batches, and what is refused."""

import math
import re
from collections import Counter, deque, namedtuple
from types import MappingProxyType

import numpy as np
import pytest

import minitorch as mt
from minitorch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    get_worker_info,
    random_split,
)
from tests import fakecupy
from tests.data.datasets import Countdown, Squares, numbered, order, samples, seeded

# ---- batches and their order ---------------------------------------------------------------------------------------------


def test_batches_come_in_order_and_the_last_may_be_smaller():
    loader = DataLoader(numbered(), batch_size=4)
    assert order(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3
    images, labels = next(iter(loader))
    assert (images.shape, images.dtype, labels.dtype) == ((4, 3), mt.float32, mt.int64)
    assert images.tolist() == [[i] * 3 for i in range(4)]


def test_an_incomplete_batch_is_left_out_on_demand():
    loader = DataLoader(numbered(), 4, drop_last=True)
    assert order(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2
    assert len(DataLoader(numbered(3), 4, drop_last=True)) == len(order(DataLoader(numbered(3), 4, drop_last=True))) == 0


def test_shuffled_epochs_differ_from_each_other_and_hold_every_sample_once():
    loader = DataLoader(numbered(100), 32, shuffle=True, generator=seeded())
    epochs = [samples(loader) for _ in range(3)]
    assert all(sorted(epoch) == list(range(100)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0] != list(range(100))


def test_a_seed_gives_the_same_sequence_of_orders():
    first, second = (DataLoader(numbered(50), 7, shuffle=True, generator=seeded(3)) for _ in range(2))
    assert [order(first), order(first)] == [order(second), order(second)]
    assert order(DataLoader(numbered(50), 7, shuffle=True, generator=seeded(4))) != order(
        DataLoader(numbered(50), 7, shuffle=True, generator=seeded(3))
    )


def test_the_default_generator_shuffles_if_none_is_given():
    loader = DataLoader(numbered(50), 10, shuffle=True)
    mt.manual_seed(5)
    first = order(loader)
    mt.manual_seed(5)
    assert order(loader) == first
    assert order(loader) != first


def test_an_epoch_goes_on_from_the_generators_state_at_its_start():
    generator = seeded()
    loader = DataLoader(numbered(20), 4, shuffle=True, generator=generator)
    order(loader)
    state = generator.get_state()
    epoch = order(loader)
    generator.set_state(state)
    assert order(loader) == epoch


def test_all_kinds_of_data_sets_are_shuffled_alike():
    plain = DataLoader(Squares(20), 6, shuffle=True, generator=seeded())
    quick = DataLoader(numbered(20), 6, shuffle=True, generator=seeded())
    assert [[int(root) for root in batch["root"].tolist()] for batch in plain] == order(quick)


@pytest.mark.parametrize("sampler", [[3, 1, 1, -1], (3, 1, 1, -1), mt.tensor([3, 1, 1, -1])])
def test_a_sampler_sets_the_order(sampler):
    loader = DataLoader(numbered(), 3, sampler=sampler)
    assert order(loader) == order(loader) == [[3, 1, 1], [9]]


def test_the_length_follows_the_sampler():
    assert len(DataLoader(numbered(), 2, sampler=[0, 1, 2])) == 2
    assert len(DataLoader(numbered(), 2, sampler=[0, 1, 2], drop_last=True)) == 1


def test_batches_do_not_share_memory_with_the_data_set():
    dataset = numbered()
    for shuffle in (False, True):
        images, _ = next(iter(DataLoader(dataset, 10, shuffle=shuffle)))
        images.zero_()
    assert dataset.tensors[0].array.sum() == 3 * 45


def test_the_quick_path_gives_what_sample_by_sample_collation_gives():
    dataset = Subset(Subset(numbered(20), range(19, 4, -1)), [0, 2, 4, -1])
    quick = list(DataLoader(dataset, 3))
    slow = list(DataLoader(dataset, 3, collate_fn=lambda samples: default_collate(samples)))
    assert order(quick) == order(slow) == [[19, 17, 15], [5]]
    for left, right in zip(quick, slow):
        assert type(left) is type(right) is list
        assert all(np.array_equal(a.array, b.array) and a.dtype == b.dtype for a, b in zip(left, right))


def test_a_subclass_with_its_own_samples_is_asked_for_each():
    class Negated(TensorDataset):
        def __getitem__(self, index):
            images, label = super().__getitem__(index)
            return -images, label

    images, _ = next(iter(DataLoader(Negated(*numbered(3).tensors), 3)))
    assert images.tolist() == [[0] * 3, [-1] * 3, [-2] * 3]


def test_gradients_flow_to_the_tensors_of_a_data_set():
    x = mt.ones(4, 2, requires_grad=True)
    ((batch,),) = list(DataLoader(TensorDataset(x), 3, drop_last=True))
    batch.sum().backward()
    assert x.grad.tolist() == [[1, 1]] * 3 + [[0, 0]]


def test_a_data_set_on_the_gpu_gives_batches_there_without_waiting():
    with fakecupy.install():
        dataset = TensorDataset(*(t.cuda() for t in numbered().tensors))
        loader = DataLoader(Subset(dataset, range(9)), 4, shuffle=True, generator=seeded())
        with fakecupy.forbid_sync():
            batches = list(loader)
        assert all(t.is_cuda for batch in batches for t in batch)
        assert sorted(samples(batches)) == list(range(9))
        with pytest.raises(IndexError, match="DataLoader: position 10 in a data set of 10 samples"):
            order(DataLoader(dataset, 2, sampler=[0, 10]))


# ---- data sets and splits ------------------------------------------------------------------------------------------------


def test_a_sample_is_a_tuple_of_rows():
    images, label = numbered()[4]
    assert images.tolist() == [4, 4, 4] and label.item() == 4
    assert len(numbered()) == 10


def test_a_subset_renumbers():
    subset = Subset(Squares(10), [7, 3])
    assert len(subset) == 2 and subset[0]["square"] == 49 and subset[-1]["square"] == 9


def test_a_slice_of_a_subset_of_a_subset_is_one_batch():
    (rows,) = Subset(Subset(TensorDataset(mt.arange(5)), [4, 3, 2, 1]), [0, 1, 3])[1:]
    assert rows.tolist() == [3, 1]


def test_lengths_of_a_split_may_be_numpys():
    assert [len(part) for part in random_split(numbered(6), [np.int64(4), np.int64(2)])] == [4, 2]


def test_a_split_deals_every_sample_out_once():
    parts = random_split(numbered(10), [7, 3], generator=seeded())
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert parts[0].indices != tuple(range(7))
    again = random_split(numbered(10), [7, 3], generator=seeded())
    assert [part.indices for part in again] == [part.indices for part in parts]


def test_fractions_are_rounded_down_and_the_rest_dealt_from_the_first():
    assert [len(part) for part in random_split(numbered(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    assert [len(part) for part in random_split(numbered(10), [0.7, 0.2, 0.1])] == [7, 2, 1]
    with pytest.warns(UserWarning, match=re.escape("fractions [0.9, 0.1] of 1 samples are [1, 0] samples")):
        random_split(numbered(1), [0.9, 0.1])


# ---- collation -----------------------------------------------------------------------------------------------------------


def test_samples_of_a_dict_become_a_dict_of_batches():
    (batch,) = list(DataLoader(Squares(3), 3))
    assert batch["root"].tolist() == [0.0, 1.0, 2.0] and batch["root"].dtype == mt.float64
    assert batch["square"].tolist() == [0, 1, 4] and batch["square"].dtype == mt.int64
    assert batch["name"] == ["n0", "n1", "n2"]


def test_named_tuples_and_nested_structures_keep_their_form():
    Pair = namedtuple("Pair", "image label")
    batch = default_collate([Pair(mt.ones(2), [1, "a"]), Pair(mt.zeros(2), [2, "b"])])
    assert type(batch) is Pair
    assert batch.image.tolist() == [[1, 1], [0, 0]]
    assert batch.label[0].tolist() == [1, 2] and batch.label[1] == ("a", "b")


def test_containers_of_a_kind_of_their_own_keep_it_with_its_attributes():
    class Named(dict):
        def __init__(self, entries, source):
            super().__init__(entries)
            self.source = source

    batch = default_collate([Named({"x": 1, "y": deque([2.0])}, "disk")] * 2)
    assert type(batch) is Named and batch.source == "disk" and batch["x"].tolist() == [1, 1]
    assert type(batch["y"]) is deque and batch["y"][0].tolist() == [2.0, 2.0]
    fixed = default_collate([MappingProxyType({"x": 1})] * 2)
    assert type(fixed) is MappingProxyType and fixed["x"].tolist() == [1, 1]
    assert [column.tolist() for column in default_collate([range(2)] * 3)] == [[0, 0, 0], [1, 1, 1]]
    assert default_collate([Counter("aab")] * 2)["a"].tolist() == [2, 2]  # PyTorch adds those of the first sample


def test_matrices_of_numpy_are_arrays():
    assert default_collate([np.ones((1, 1)).view(np.matrix)] * 2).shape == (2, 1, 1)


def test_strings_stay_as_they_are_also_those_of_numpy():
    assert default_collate(list(np.array(["a", "b"]))) == ["a", "b"]


def test_arrays_keep_their_dtype():
    assert default_collate([np.zeros(2, np.float32), np.ones(2, np.float32)]).dtype == mt.float32
    assert default_collate([np.uint8(1), np.uint8(2)]).dtype == mt.uint8


def test_arrays_of_several_dtypes_are_promoted_as_tensors_are():
    batch = default_collate([np.arange(2), np.ones(2, np.float32)])
    assert batch.dtype == mt.float32 and batch.tolist() == [[0, 1], [1, 1]]
    assert default_collate([np.float32(1), 2]).dtype == mt.float32


def test_a_collate_function_gets_the_list_of_samples():
    loader = DataLoader(numbered(3), 2, collate_fn=lambda samples: [label.item() for _, label in samples])
    assert list(loader) == [[0, 1], [2]]


# ---- refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act, kind, said",
    [
        (TensorDataset, ValueError, "TensorDataset: expected at least one tensor"),
        (lambda: TensorDataset(np.ones(2)), TypeError, "TensorDataset: expected tensors, got ndarray"),
        (lambda: TensorDataset(mt.ones(3, 2), mt.ones(2)), ValueError, "one first dimension, got shapes (3, 2) and (2,)"),
        (lambda: TensorDataset(mt.tensor(1.0)), ValueError, "one first dimension, got shapes ()"),
        (lambda: Subset(numbered(3), [0, 3]), IndexError, "Subset: position 3 in a data set of 3 samples"),
        (lambda: Subset(numbered(3), [-4, 0]), IndexError, "Subset: position -4 in a data set of 3 samples"),
        (
            lambda: Subset(numbered(2), mt.tensor([True, False])),
            TypeError,
            "expected whole numbers as positions, got bool; for a",
        ),
        (lambda: list(DataLoader(numbered(3), sampler=[0.0])), TypeError, "DataLoader: expected whole numbers as positions"),
        (lambda: list(DataLoader(numbered(3), batch_sampler=[[]])), ValueError, "of positions from the batch_sampler, got []"),
        (lambda: list(DataLoader(numbered(3), batch_sampler=[1])), ValueError, "of positions from the batch_sampler, got 1"),
        (lambda: DataLoader(numbered(), multiprocessing_context="spawn"), ValueError, "need num_workers above 0"),
        (lambda: random_split(numbered(10), [7, 2]), ValueError, "whole lengths that add up to 10 samples, or fractions"),
        (lambda: random_split(numbered(10), [0.5, 0.4]), ValueError, "add up to 1, got [0.5, 0.4]"),
        (lambda: random_split(numbered(10), [12, -2]), ValueError, "got [12, -2]"),
        (lambda: random_split(numbered(10), [7.0, 3.0]), ValueError, "got [7.0, 3.0]"),
        (lambda: DataLoader(numbered(), 0), ValueError, "DataLoader: expected a batch_size of 1 or more, got 0"),
        (lambda: DataLoader(numbered(), 2.5), ValueError, "expected a batch_size of 1 or more, got 2.5"),
        (lambda: DataLoader(numbered(), num_workers=-1), ValueError, "num_workers and timeout of 0 or more, got -1 and 0"),
        (lambda: DataLoader(numbered(), prefetch_factor=2), ValueError, "need num_workers above 0"),
        (lambda: DataLoader(numbered(), batch_size=2, batch_sampler=[[1]]), ValueError, "a batch_sampler sets the batches"),
        (lambda: DataLoader(numbered(), batch_sampler=iter([[1]])), TypeError, "can be iterated over only once"),
        (lambda: DataLoader(numbered(), None), ValueError, "DataLoader: expected a batch_size of 1 or more, got None"),
        (lambda: DataLoader(Countdown(3), shuffle=True), ValueError, "an IterableDataset sets its own order"),
        (lambda: RandomSampler([1], num_samples=0), ValueError, "RandomSampler: expected a num_samples of 1 or more, got 0"),
        (lambda: RandomSampler([], num_samples=3), ValueError, "expected a length of data_source of 1 or more, got 0"),
        (lambda: WeightedRandomSampler([1.0, -1.0, math.nan], 1), ValueError, "not 0, 2 of them below 0 or not finite"),
        (lambda: WeightedRandomSampler([1.0, math.inf], 1), ValueError, "not 0, 1 of them below 0 or not finite"),
        (lambda: WeightedRandomSampler([0.0, 0.0], 1), ValueError, "got shape (2,) with 0 weights that are not 0"),
        (lambda: WeightedRandomSampler([1.0, 0.0], 2, False), ValueError, "got shape (2,) with 1 weights that are not 0"),
        (lambda: BatchSampler([1, 2], 0, False), ValueError, "BatchSampler: expected a batch_size of 1 or more, got 0"),
        (lambda: ConcatDataset([]), ValueError, "ConcatDataset: expected at least one data set"),
        (lambda: ConcatDataset([Countdown(2)]), TypeError, "ConcatDataset: an IterableDataset has no positions"),
        (
            lambda: ConcatDataset([Squares(2), Squares(3)])[5],
            IndexError,
            "ConcatDataset: position 5 in a data set of 5 samples",
        ),
        (lambda: DataLoader(numbered(), shuffle=True, sampler=[1]), ValueError, "a sampler sets the order"),
        (lambda: DataLoader(numbered(), sampler=(i for i in [1])), TypeError, "a generator can be iterated over only once"),
        (lambda: DataLoader(Squares(0), shuffle=True), ValueError, "has 0 samples, there is nothing to shuffle"),
        (
            lambda: DataLoader(numbered(), generator=3),
            TypeError,
            "expected a minitorch.Generator, as Generator().manual_seed(seed) gives, got int",
        ),
        (lambda: random_split(numbered(4), [2, 2], generator=0), TypeError, "expected a minitorch.Generator, as Generator()"),
        (lambda: list(RandomSampler([1], generator=0)), TypeError, "expected a minitorch.Generator"),
        (lambda: mt.randn(2, generator=0), TypeError, "expected a minitorch.Generator"),
        (lambda: list(DataLoader(numbered(3), sampler=[5])), IndexError, "DataLoader: position 5 in a data set of 3 samples"),
        (lambda: Dataset()[0], NotImplementedError, "Dataset: __getitem__ is not written"),
        (lambda: default_collate([mt.ones(2), mt.ones(3)]), ValueError, "expected equal shapes, got (2,), (3,)"),
        (lambda: default_collate([np.ones(2), np.ones(3)]), ValueError, "expected equal shapes, got (2,), (3,)"),
        (lambda: default_collate([(1, 2), (1,)]), ValueError, "default_collate: samples of different lengths: [2, 1]"),
        (lambda: default_collate([{"a": 1}, {"b": 1}]), ValueError, "samples with different keys: [['a'], ['b']]"),
        (lambda: default_collate([None]), TypeError, "got NoneType; pass a collate_fn"),
        (lambda: default_collate([(1, 2), None]), TypeError, "all samples alike, got tuple and NoneType; pass a collate_fn"),
        (lambda: default_collate([{"a": 1}, [1]]), TypeError, "all samples alike, got dict and list; pass a collate_fn"),
    ],
)
def test_what_does_not_fit_is_refused(act, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        act()


# ---- what PyTorch's loaders take -----------------------------------------------------------------------------------------


def test_what_is_for_worker_processes_changes_no_batch():
    options = {"num_workers": 2, "pin_memory": True, "timeout": 5, "prefetch_factor": 4, "persistent_workers": True}
    loader = DataLoader(numbered(), 4, worker_init_fn=lambda worker: 1 / 0, **options)
    assert order(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert loader.num_workers == 2
    assert get_worker_info() is None


def test_a_batch_sampler_sets_the_batches():
    loader = DataLoader(numbered(), batch_sampler=[[3, 1], [2]])
    assert order(loader) == [[3, 1], [2]] == order(loader)
    assert len(loader) == 2
    wanted = [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert order(DataLoader(numbered(), batch_sampler=BatchSampler(SequentialSampler(range(10)), 4, True))) == wanted
    assert [len(BatchSampler(range(10), 4, drop)) for drop in (True, False)] == [2, 3]


def test_a_loader_with_a_batch_sampler_goes_on_after_any_batch():
    batches = [[3, 1], [2], [0, 4]]
    loader = DataLoader(numbered(), batch_sampler=batches)
    next(iter(loader))
    rest = DataLoader(numbered(), batch_sampler=batches)
    rest.load_state_dict(loader.state_dict())
    assert order(rest) == batches[1:]
    assert order(rest) == batches


def test_iterable_data_sets_come_in_their_own_order():
    loader = DataLoader(Countdown(5), batch_size=2)
    assert [batch.tolist() for batch in loader] == [[5, 4], [3, 2], [1]]
    assert len(loader) == 3
    assert [batch.tolist() for batch in DataLoader(Countdown(5), 2, drop_last=True)] == [[5, 4], [3, 2]]


def test_data_sets_are_joined():
    joined = ConcatDataset([Squares(2), Squares(3)])
    assert [joined[i]["square"] for i in range(len(joined))] == [0, 1, 0, 1, 4]
    assert joined[-1]["square"] == 4
    assert len(Squares(2) + Squares(1)) == 3
