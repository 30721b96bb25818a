"""Pair sets, their normalisation, and the embedded digits."""

import numpy as np
import pytest

from minitorch.data import Digits, Pairs, draw_pairs, load_digits, normalise, pair_sets
from minitorch.data.digits import enlarge
from minitorch.data.mnist import average_2x2


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def numbered(n: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images, each full of its own number, and their classes, 0 to 9 in turn."""
    numbers = np.arange(first, first + n)
    return np.broadcast_to(numbers[:, None, None], (n, 14, 14)).astype(np.float32), numbers % 10


def numbers_of(pairs: Pairs) -> np.ndarray:
    return pairs.inputs[:, :, 0, 0].astype(np.int64)


# -- pairs


def test_shapes_and_dtypes_are_those_of_the_specification():
    pairs = draw_pairs(*numbered(100), 30, rng=rng())
    assert pairs.inputs.shape == (30, 2, 14, 14) and pairs.inputs.dtype == np.float32
    assert pairs.classes.shape == (30, 2) and pairs.classes.dtype == np.int64
    assert pairs.targets.shape == (30,) and pairs.targets.dtype == np.int64


def test_classes_belong_to_the_digits_beside_them():
    pairs = draw_pairs(*numbered(100), 30, rng=rng())
    np.testing.assert_array_equal(pairs.classes, numbers_of(pairs) % 10)


def test_targets_tell_less_or_equal_from_strictly_less():
    le = draw_pairs(*numbered(100), 50, rng=rng(), relation="le")
    lt = draw_pairs(*numbered(100), 50, rng=rng(), relation="lt")
    np.testing.assert_array_equal(le.classes, lt.classes)
    np.testing.assert_array_equal(le.targets, [int(first <= second) for first, second in le.classes])
    np.testing.assert_array_equal(lt.targets, [int(first < second) for first, second in lt.classes])
    assert (le.classes[:, 0] == le.classes[:, 1]).any()


def test_the_2n_digits_are_different_when_there_are_as_many():
    assert len(np.unique(numbers_of(draw_pairs(*numbered(100), 50, rng=rng())))) == 100


@pytest.mark.parametrize(("digits", "pairs"), [(10, 50), (11, 50), (11, 7), (3, 100), (2, 3)])
def test_fewer_digits_come_equally_often_and_never_twice_in_a_pair(digits, pairs):
    for seed in range(20):
        drawn = numbers_of(draw_pairs(*numbered(digits), pairs, rng=rng(seed)))
        counts = np.bincount(drawn.ravel(), minlength=digits)
        assert counts.max() - counts.min() <= 1
        assert (drawn[:, 0] != drawn[:, 1]).all()


def test_the_generator_decides_the_draw():
    draws = [draw_pairs(*numbered(100), 20, rng=rng(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0].inputs, draws[1].inputs)
    assert (draws[0].inputs != draws[2].inputs).any()


def test_all_digits_are_as_likely_at_every_place():
    generator = rng()
    drawn = np.stack([numbers_of(draw_pairs(*numbered(8), 4, rng=generator)).ravel() for _ in range(4000)])
    counts = np.stack([np.bincount(place, minlength=8) for place in drawn.T])
    assert abs(counts - 500).max() < 5 * np.sqrt(500 * 7 / 8)  # five standard deviations


def test_training_pairs_come_from_training_digits_and_test_pairs_from_test_digits():
    digits = Digits("numbered", "", *numbered(50), *numbered(40, first=1000))
    train, test = pair_sets(digits, 30, rng=rng())
    assert numbers_of(train).max() < 50 and numbers_of(test).min() >= 1000
    assert len(train.targets) == len(test.targets) == 30


def test_the_relation_reaches_both_sets():
    digits = Digits("numbered", "", *numbered(50), *numbered(40))
    for pairs in pair_sets(digits, 200, rng=rng(), relation="lt"):
        np.testing.assert_array_equal(pairs.targets, pairs.classes[:, 0] < pairs.classes[:, 1])


def test_drawing_leaves_the_digits_as_they_are():
    images, labels = numbered(10)
    pairs = draw_pairs(images, labels, 5, rng=rng())
    pairs.inputs[:] = -1
    pairs.classes[:] = -1
    np.testing.assert_array_equal(images, numbered(10)[0])
    np.testing.assert_array_equal(labels, numbered(10)[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"relation": "ge"}, "relation is \"le\" .* got 'ge'"),
        ({"n": 0}, "number of pairs, must be at least 1, got 0"),
        ({"images": np.zeros((10, 28, 28))}, r"images \(m, 14, 14\).* got images \(10, 28, 28\) and labels \(10,\)"),
        ({"images": np.zeros((9, 14, 14))}, r"got images \(9, 14, 14\) and labels \(10,\)"),
        ({"labels": np.zeros((10, 1), np.int64)}, r"got images \(10, 14, 14\) and labels \(10, 1\)"),
        ({"images": np.zeros((1, 14, 14)), "labels": np.zeros(1)}, r"m at least 2, got images \(1, 14, 14\)"),
    ],
)
def test_what_makes_no_pairs_is_refused(change, message):
    images, labels = numbered(10)
    with pytest.raises(ValueError, match="draw_pairs: .*" + message):
        draw_pairs(**({"images": images, "labels": labels, "n": 3, "rng": rng()} | change))


# -- normalisation


def some_pairs(seed: int, scale: float, shift: float) -> Pairs:
    inputs = (rng(seed).standard_normal((50, 2, 14, 14)) * scale + shift).astype(np.float32)
    return Pairs(inputs, np.zeros(50, np.int64), np.zeros((50, 2), np.int64))


def test_training_inputs_get_mean_0_and_standard_deviation_1():
    (train,) = normalise(some_pairs(0, 80, 33))
    assert abs(train.inputs.mean(dtype=np.float64)) < 1e-6
    assert abs(train.inputs.std(dtype=np.float64) - 1) < 1e-6


def test_the_other_sets_are_normalised_by_the_training_set_alone():
    train, test = some_pairs(0, 80, 33), some_pairs(1, 5, 100)
    mean, std = train.inputs.astype(np.float64).mean(), train.inputs.astype(np.float64).std()
    _, normalised = normalise(train, test)
    np.testing.assert_allclose(normalised.inputs, (test.inputs.astype(np.float64) - mean) / std, rtol=1e-5, atol=1e-6)


def test_normalised_inputs_are_new_float32_arrays_with_the_same_targets():
    train, test = some_pairs(0, 80, 33), some_pairs(1, 80, 33)
    before = train.inputs.copy()
    for one, other in zip(normalise(train, test), (train, test), strict=True):
        assert one.inputs.dtype == np.float32
        assert one.targets is other.targets and one.classes is other.classes
    np.testing.assert_array_equal(train.inputs, before)


def test_inputs_without_any_difference_are_refused():
    with pytest.raises(ValueError, match="normalise: all training pixels are 33"):
        normalise(some_pairs(0, 0, 33))


# -- averages


def test_squares_of_four_pixels_are_averaged_without_rounding():
    images = rng().integers(0, 256, (7, 28, 28), dtype=np.uint8)
    images[0] = 255
    averaged = average_2x2(images)
    assert averaged.dtype == np.float32
    np.testing.assert_array_equal(averaged, images.reshape(7, 14, 2, 14, 2).mean(axis=(2, 4)))


# -- the embedded digits


def test_the_embedded_digits_are_named_and_both_halves_have_all_classes():
    digits = load_digits("digits")
    assert digits.name == "UCI digits (not MNIST)" and not digits.is_mnist
    assert "more than 445 pairs repeat digits within the training half or within the test half, never across" in digits.note
    for images, labels in (digits.train_images, digits.train_labels), (digits.test_images, digits.test_labels):
        assert images.shape == (len(labels), 14, 14) and images.dtype == np.float32
        assert labels.dtype == np.int64 and np.bincount(labels, minlength=10).min() >= 84
    assert len(digits.train_labels) + len(digits.test_labels) == 1797


def test_no_embedded_image_is_in_both_halves_or_twice_in_one():
    digits = load_digits("digits")
    assert len({image.tobytes() for image in (*digits.train_images, *digits.test_images)}) == 1797


def test_no_form_of_a_writer_is_in_both_halves():
    """The labels are fourteen copies of one form, some with a few labels missing; the eighth begins the test half."""
    digits = load_digits("digits")
    part_of_a_form = digits.train_labels[30:45].tolist()

    def forms(labels):
        return [at - 30 for at in range(len(labels)) if labels[at : at + 15].tolist() == part_of_a_form]

    assert len(forms(digits.train_labels)) == len(forms(digits.test_labels)) == 7
    assert forms(digits.train_labels)[0] == 0
    assert forms(digits.test_labels)[0] == -1  # the form's first label is missing
    assert digits.train_labels[-5:].tolist() == digits.train_labels[125:130].tolist()


def test_the_embedded_digits_are_scikit_learns():
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    theirs = sklearn_datasets.load_digits()
    ours = load_digits("digits")
    np.testing.assert_array_equal(np.concatenate([ours.train_labels, ours.test_labels]), theirs.target)
    images = np.concatenate([ours.train_images, ours.test_images])
    np.testing.assert_array_equal(images, enlarge(theirs.images.astype(np.uint8)))


def test_pairs_of_embedded_digits_have_at_most_445_pairs_without_repeats():
    digits = load_digits("digits")
    for n, repeated in (445, False), (446, True):
        _, test = pair_sets(digits, n, rng=rng())
        assert (len({image.tobytes() for image in test.inputs.reshape(-1, 14, 14)}) < 2 * n) == repeated


def test_an_enlarged_digit_fills_ten_by_ten_in_a_frame_of_two_with_grey_levels_to_255():
    enlarged = enlarge(np.full((1, 8, 8), 16, np.uint8))
    expected = np.pad(np.full((1, 10, 10), 255, np.float32), ((0, 0), (2, 2), (2, 2)))
    np.testing.assert_allclose(enlarged, expected, rtol=1e-6)
    assert enlarged.dtype == np.float32


def test_enlarging_is_bilinear_between_pixels_taken_as_areas():
    ramp = np.broadcast_to(np.arange(8, dtype=np.uint8), (1, 8, 8))
    columns = enlarge(ramp)[0, 5, 2:12] * 16 / 255
    np.testing.assert_allclose(columns, [0, 0.7, 1.5, 2.3, 3.1, 3.9, 4.7, 5.5, 6.3, 7], rtol=1e-6)
    np.testing.assert_array_equal(enlarge(ramp.transpose(0, 2, 1)), enlarge(ramp).transpose(0, 2, 1))


def test_enlarging_is_pillows_resize():
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    image = rng().integers(0, 17, (8, 8)).astype(np.float32)
    theirs = np.asarray(image_module.fromarray(image).resize((10, 10), image_module.Resampling.BILINEAR))
    np.testing.assert_allclose(enlarge(image[None])[0, 2:12, 2:12], theirs * 255 / 16, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("relation", ["le", "lt"])
def test_two_seeds_give_two_sets_and_one_seed_one(relation):
    digits = load_digits("digits")
    one, same, other = (normalise(*pair_sets(digits, 100, rng=rng(seed), relation=relation))[0].inputs for seed in (3, 3, 4))
    assert one.tobytes() == same.tobytes() != other.tobytes()
