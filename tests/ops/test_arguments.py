"""Arguments as PyTorch's users write them: by keyword, by position, booleans where a whole number belongs, empty tensors."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt

X = mt.tensor(np.arange(6.0).reshape(2, 3))
IMAGES = mt.arange(24.0).view(1, 2, 3, 4)


# ---- keywords ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "by_keyword, by_position",
    [
        (lambda: mt.flip(X, dims=(0, 1)), lambda: mt.flip(X, (0, 1))),
        (lambda: X.flip(dims=[1]), lambda: X.flip(1)),
        (lambda: mt.permute(X, dims=(1, 0)), lambda: X.permute(1, 0)),
        (lambda: mt.reshape(X, shape=(3, 2)), lambda: X.reshape(3, 2)),
        (lambda: X.view(size=(6,)), lambda: X.view(6)),
        (lambda: X.expand(size=(2, 2, 3)), lambda: X.expand(2, 2, 3)),
        (lambda: X.repeat(repeats=(2, 1)), lambda: X.repeat(2, 1)),
        (lambda: mt.max(X, other=-X), lambda: mt.maximum(X, -X)),
        (lambda: mt.min(X, other=-X), lambda: mt.minimum(X, -X)),
        (lambda: X.float().cumsum(0, dtype=mt.float64), lambda: X.cumsum(0)),
        (lambda: X.float().prod(dtype=mt.float64), lambda: X.prod()),
        (lambda: X.var(correction=None), lambda: X.var()),
        (lambda: mt.std(X, correction=None), lambda: X.std()),
        (lambda: X.var(False), lambda: X.var(correction=0)),
        (lambda: X.std(True), lambda: X.std(correction=1)),
        (lambda: X.var(0, False), lambda: X.var(0, correction=0)),
        (lambda: mt.randint_like(X, high=1), lambda: mt.zeros_like(X)),
        (lambda: X.to(dtype=mt.float32, memory_format=None), lambda: X.to(mt.float32)),
        (lambda: X.contiguous(memory_format=mt.contiguous_format), lambda: X),
        (lambda: IMAGES.contiguous(memory_format=mt.channels_last), lambda: IMAGES),
        (lambda: X.clone(memory_format=mt.preserve_format), lambda: X),
    ],
)
def test_keywords_are_pytorchs(by_keyword, by_position):
    got, expected = by_keyword(), by_position()
    assert got.dtype == expected.dtype and got.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "call", [lambda: X.view(6, size=(6,)), lambda: mt.flip(X, 0, dims=(1,)), lambda: X.repeat(2, repeats=(2,))]
)
def test_numbers_given_twice_are_refused(call):
    with pytest.raises(TypeError, match=r"expected .* to be a whole number"):
        call()


@pytest.mark.parametrize("of", [mt.var, mt.std, mt.var_mean])
def test_the_divisor_of_a_variance_is_named_once(of):
    with pytest.raises(TypeError, match=r"^(var|std): expected unbiased or correction, got both$"):
        of(X, unbiased=False, correction=1)


# ---- whole numbers -------------------------------------------------------------------------------------------------------

TAKES_A_DIM = {
    "sum": lambda dim: X.sum(dim),
    "mean": lambda dim: X.mean(dim),
    "max": lambda dim: X.max(dim),
    "amin": lambda dim: X.amin(dim),
    "argmax": lambda dim: X.argmax(dim),
    "any": lambda dim: X.any(dim),
    "cumsum": lambda dim: X.cumsum(dim),
    "logsumexp": lambda dim: X.logsumexp(dim),
    "softmax": lambda dim: X.softmax(dim),
    "log_softmax": lambda dim: X.log_softmax(dim),
    "norm": lambda dim: X.norm(2, dim),
    "prod": lambda dim: X.prod(dim),
    "unsqueeze": lambda dim: X.unsqueeze(dim),
    "squeeze": lambda dim: X.squeeze(dim),
    "transpose": lambda dim: X.transpose(dim, 0),
    "flatten": lambda dim: X.flatten(dim),
    "flip": lambda dim: X.flip(dim),
    "permute": lambda dim: X.permute(dim, 1),
    "unbind": lambda dim: X.unbind(dim),
    "split": lambda dim: X.split(1, dim),
    "chunk": lambda dim: X.chunk(1, dim),
    "cat": lambda dim: mt.cat([X, X], dim),
    "stack": lambda dim: mt.stack([X, X], dim),
    "index_select": lambda dim: X.index_select(dim, mt.tensor([0])),
    "gather": lambda dim: X.gather(dim, mt.tensor([[0]])),
}


@pytest.mark.parametrize("dim", [True, False, np.True_, 0.0, "0"])
@pytest.mark.parametrize("name", TAKES_A_DIM)
def test_what_is_no_whole_number_is_refused_as_a_dim(name, dim):
    with pytest.raises(TypeError, match=rf"^{name}: expected (start_)?dim[0s]? to be a whole number, got {dim!r}"):
        TAKES_A_DIM[name](dim)


@pytest.mark.parametrize("name", TAKES_A_DIM)
def test_a_numpy_number_and_a_tensor_are_taken_as_a_dim(name):
    for dim in (np.int64(0), mt.tensor(0)):
        if name not in ("argmax", "permute"):
            TAKES_A_DIM[name](dim)


@pytest.mark.parametrize("size", [True, 2.0])
def test_what_is_no_whole_number_is_refused_as_a_size(size):
    calls = (X.view, X.reshape, X.expand, X.repeat, mt.zeros)
    for call in calls:
        with pytest.raises(TypeError, match="whole number"):
            call(size, 3)


# ---- copies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(1, 1), (2, 1), (1, 1, 1), (3, 1, 2), (0, 1)])
@pytest.mark.parametrize("shape", [(1, 2), (2, 3), (1, 1)])
def test_repeat_makes_memory_of_its_own(shape, counts):
    x = mt.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    y = x.repeat(*counts)
    assert not np.shares_memory(x.array, y.array)
    np.testing.assert_array_equal(y.detach().array, np.tile(x.array, counts))
    y.sum().backward()
    assert (x.grad.array == np.prod(counts)).all()
    with mt.no_grad():
        y.add_(1.0)  # no element shares its place with another


def test_to_takes_non_blocking_and_copy_by_position():
    other = mt.zeros(1, dtype=mt.float64)
    for arguments in (("cpu", mt.float64, False, True), (mt.float64, False, True), (other, False, True)):
        y = X.to(*arguments)
        assert y is not X and not np.shares_memory(X.array, y.array) and y.dtype == mt.float64
    assert X.to("cpu", mt.float64, True, False) is X and X.to("cpu", mt.float64, True) is X
    with pytest.raises(TypeError, match=r"^to: expected \(device, dtype, non_blocking, copy\)"):
        X.to(mt.float64, "cpu")


def test_view_reads_memory_as_another_dtype():
    x = mt.tensor([1.0, 2.0])
    assert x.view(mt.int32).tolist() == [1065353216, 1073741824] and x.view(dtype=mt.uint8).shape == (8,)
    x.view(mt.int32)[0] = 0
    assert x.tolist() == [0.0, 2.0]
    with pytest.raises(ValueError, match=r"^view: shape \(3,\) of float32 cannot be read as float64"):
        mt.zeros(3).view(mt.float64)


# ---- empty tensors, masks ------------------------------------------------------------------------------------------------


def test_an_empty_tensor_of_one_dimension_fits_everywhere_in_cat():
    collected, rest = mt.tensor([], requires_grad=True), mt.ones(2, 3, requires_grad=True)
    whole = mt.cat((collected, rest), dim=1)
    assert whole.tolist() == rest.tolist()
    (whole * mt.arange(6).reshape(2, 3)).sum().backward()
    assert collected.grad.shape == (0,) and rest.grad.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mt.cat((mt.tensor([]), mt.tensor([])), 0).shape == (0,)
    with pytest.raises(ValueError, match=r"^cat: shapes must agree except in dim 0, got \(0, 2\), \(2, 3\)"):
        mt.cat((mt.zeros(0, 2), mt.ones(2, 3)))


def test_what_is_empty_is_split_into_one_empty_part_or_as_many_chunks_as_asked_and_negative_sizes_are_refused():
    x = mt.zeros(0, 3)
    assert [part.shape for part in x.split(2)] == [(0, 3)]
    assert [part.shape for part in x.chunk(2)] == [(0, 3)] * 2
    assert x.split([]) == () and [part.shape for part in x.split([0, 0])] == [(0, 3)] * 2
    with pytest.raises(ValueError, match=r"^split: sizes \[3, -1\] do not add up to 2"):
        mt.zeros(2).split([3, -1])
    with pytest.raises(ValueError, match=r"^split: sizes \[\] do not add up to 2"):
        mt.zeros(2).split([])


def test_index_select_of_a_number():
    x = mt.tensor(3.0, requires_grad=True)
    y = x.index_select(0, mt.tensor([0]))
    y.backward()
    assert y.shape == () and x.grad.item() == 1.0
    with pytest.raises(IndexError, match=r"^index_select: an index outside"):
        x.index_select(0, mt.tensor([1]))


@pytest.mark.parametrize("mask", [mt.tensor([1, 0, 1], dtype=mt.uint8), np.array([1, 0, 1], np.uint8)])
def test_a_uint8_index_is_a_mask_and_says_so(mask):
    x = mt.tensor([1.0, -2.0, 3.0])
    with pytest.warns(UserWarning, match=r"^getitem: a uint8 index is taken as a mask"):
        assert x[mask].tolist() == [1.0, 3.0]
    with pytest.warns(UserWarning, match=r"^setitem: a uint8 index is taken as a mask"):
        x[mask] = 0.0
    assert x.tolist() == [0.0, -2.0, 0.0]


@pytest.mark.parametrize(
    "index",
    [
        [mt.tensor([0, 1]), range(1, 3)],
        [mt.tensor(0), mt.tensor(1)],
        [0, mt.tensor([1, 2])],
        [[0, 1], [1, 2]],
        [(0, 1)],
        [slice(None), 1],
        [None, 0],
        [..., 0],
        [np.array([0, 1]), 1],
    ],
)
def test_a_list_that_holds_more_than_numbers_is_an_index_for_each_dimension_and_says_so(index):
    x = mt.arange(24.0).reshape(4, 3, 2)
    with pytest.warns(UserWarning, match=r"^getitem: a list of tensors, sequences or slices is an index for each dimension"):
        assert x[index].tolist() == x[tuple(index)].tolist()
    with pytest.warns(UserWarning, match=r"^setitem: a list of tensors"):
        x[index] = -1.0
    assert (x[tuple(index)] == -1.0).all()


@pytest.mark.parametrize("index", [[0, 1], [True, False, True, False], [np.int64(0), 1], [mt.tensor(1)] * 32, range(2)])
def test_other_lists_pick_rows(index):
    x = mt.arange(12.0).reshape(4, 3)
    assert x[index].tolist() == x.numpy()[np.array([int(i) if type(i) is not bool else i for i in index])].tolist()


def test_gather_takes_numbers_and_empty_indices():
    x = mt.tensor(3.0, requires_grad=True)
    assert x.gather(0, mt.tensor([0])).tolist() == [3.0] and x.gather(0, mt.tensor(0)).item() == 3.0
    assert mt.tensor([1.0, 2.0]).gather(0, mt.tensor(1)).item() == 2.0
    empty = mt.tensor([1.0, 2.0], requires_grad=True).gather(0, mt.zeros(2, 0, dtype=mt.uint8))
    assert empty.shape == (2, 0) and empty.requires_grad
    with pytest.raises(ValueError, match=r"^gather: expected an integer index of 2 dimensions"):
        X.gather(0, mt.tensor([0]))


def test_logsumexp_of_nothing_is_minus_infinity():
    assert mt.zeros(0).logsumexp(0).item() == -np.inf and mt.zeros(2, 0).logsumexp(1).tolist() == [-np.inf] * 2
    assert mt.zeros(0, 3).logsumexp(1).shape == (0,)


def test_bounds_of_linspace_are_numbers():
    assert mt.linspace(mt.tensor(0.0), mt.tensor(1.0), 3).tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(TypeError, match=r"^linspace: expected start to be a number, got tensor"):
        mt.linspace(mt.tensor([0.0, 1.0]), mt.tensor([1.0, 2.0]), 3)


def test_bounds_of_logspace_are_numbers():
    with pytest.raises(TypeError, match=r"^logspace: expected start to be a number, got tensor"):
        mt.logspace(mt.tensor([0.0]), mt.tensor([1.0]), 3)


def test_the_cosine_of_two_numbers_is_their_sign():
    assert mt.functional.cosine_similarity(mt.tensor(2.0), mt.tensor(-3.0), dim=0).item() == -1.0


@pytest.mark.parametrize("shape", [(0, 2), (0, 2, 3), (0, 2, 3, 3), (2, 2, 0)])
def test_batch_norm_of_nothing_is_nothing_and_moves_nothing(shape):
    mean, var = mt.zeros(2), mt.ones(2)
    x, w, b = mt.zeros(shape, requires_grad=True), mt.ones(2, requires_grad=True), mt.zeros(2, requires_grad=True)
    y = mt.functional.batch_norm(x, mean, var, w, b, training=True)
    y.sum().backward()
    assert y.shape == shape and mean.tolist() == [0, 0] and var.tolist() == [1, 1]
    assert x.grad.shape == shape and w.grad.tolist() == b.grad.tolist() == [0, 0]


def test_a_product_of_booleans_may_stay_one():
    assert mt.tensor([[True, False]]).prod(1, dtype=mt.bool).dtype == mt.bool


def test_masked_fill_takes_one_value():
    with pytest.raises(ValueError, match=r"^masked_fill: expected a number or a 0-d tensor as the value, got shape \(1,\)"):
        X.masked_fill(X > 1, mt.tensor([1.0]))


def test_logic_takes_tensors_only_and_a_number_cannot_be_rolled_along_a_dim():
    with pytest.raises(TypeError, match=r"^logical_and: expected two tensors, got int"):
        mt.logical_and(mt.ones(2), 1)
    with pytest.raises(IndexError, match=r"^roll: dims .* out of range for a 0-d tensor"):
        mt.tensor(1.0).roll(1, 0)


def test_a_number_may_be_padded_by_nothing():
    assert mt.functional.pad(mt.tensor(3.0), []).item() == 3.0
