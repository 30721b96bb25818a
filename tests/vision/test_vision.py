"""The data sets and transforms of MNIST scripts: torchvision's names over minitorch's digits."""

import re
import warnings

import numpy as np
import pytest

import minitorch
from minitorch.data import encode_idx
from minitorch.data.download import DownloadError
from minitorch.data.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from minitorch.utils.data import DataLoader
from minitorch.vision import datasets, transforms, utils


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for images, labels, n in ((TRAIN_IMAGES, TRAIN_LABELS, 12), (TEST_IMAGES, TEST_LABELS, 5)):
        (raw / images).write_bytes(encode_idx(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)))
        (raw / labels).write_bytes(encode_idx(rng.integers(0, 10, n, dtype=np.uint8)))
    return tmp_path


def test_mnist_is_read_from_torchvisions_folder(folder):
    train, test = datasets.MNIST(folder, train=True, download=True), datasets.MNIST(folder, train=False)
    assert (len(train), len(test)) == (12, 5)
    assert train.data.shape == (12, 28, 28) and train.data.dtype == minitorch.uint8 and train.targets.dtype == minitorch.int64
    image, label = train[3]
    assert image.shape == (28, 28) and image.dtype == np.uint8 and label == train.targets[3].item()
    assert train.classes[7] == "7 - seven" and train.class_to_idx["0 - zero"] == 0
    assert len(datasets.FashionMNIST.classes) == 10 and datasets.FashionMNIST.classes[9] == "Ankle boot"


def test_a_loader_makes_batches_of_transformed_digits(folder):
    normalised = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    loader = DataLoader(datasets.MNIST(folder, transform=normalised, target_transform=lambda label: -label), batch_size=6)
    images, labels = next(iter(loader))
    assert images.shape == (6, 1, 28, 28) and images.dtype == minitorch.float32
    assert images.min() >= -1 and images.max() <= 1 and labels.max() <= 0


def test_without_mnist_the_embedded_digits_stand_in_and_a_warning_says_so(tmp_path, monkeypatch):
    def fail():
        raise DownloadError("no network")

    monkeypatch.setattr(datasets, "mnist_arrays", fail)
    with pytest.warns(UserWarning, match="no network(.|\n)*MNIST is not available. Used instead: UCI's 8x8"):
        digits = datasets.MNIST(tmp_path)
    assert digits.data.shape == (906, 28, 28) and digits.data.max() <= 255


def test_fashion_mnist_is_not_fetched(tmp_path):
    with pytest.warns(UserWarning, match="FashionMNIST: minitorch does not download it"):
        datasets.FashionMNIST(tmp_path)


def test_to_tensor_scales_bytes_alone_and_puts_channels_first():
    assert transforms.ToTensor()(np.full((2, 3), 255, np.uint8)).tolist() == [[[1.0] * 3] * 2]
    assert transforms.ToTensor()(np.zeros((4, 5, 3), np.uint8)).shape == (3, 4, 5)
    assert transforms.ToTensor()(np.full((2, 3), 7.0, np.float32)).max() == 7
    with pytest.raises(ValueError, match=r"transforms: expected an image \(h, w\) or \(h, w, c\), got shape \(3,\)"):
        transforms.ToTensor()(np.zeros(3))


def test_to_tensor_gives_the_default_dtype():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert transforms.ToTensor()(pixels).dtype == minitorch.float32
    minitorch.set_default_dtype(minitorch.float64)
    try:
        assert (transforms.ToTensor()(pixels).numpy() == pixels / 255).all()
    finally:
        minitorch.set_default_dtype(minitorch.float32)


def test_normalize_refuses_images_that_are_no_float_tensor():
    with pytest.raises(TypeError, match=r"put ToTensor\(\) before it"):
        transforms.Normalize(0.5, 0.5)(np.zeros((28, 28), np.uint8))
    with pytest.raises(ValueError, match="std must not be zero"):
        transforms.Normalize(0.5, 0.0)


def test_random_crops_and_flips_repeat_with_the_seed():
    image = np.arange(30, dtype=np.uint8).reshape(5, 6)
    shaken = transforms.Compose([transforms.RandomCrop(4, padding=1), transforms.RandomHorizontalFlip()])
    runs = []
    for _ in range(2):
        minitorch.manual_seed(3)
        runs.append([shaken(image) for _ in range(5)])
    assert all(np.array_equal(a, b) for a, b in zip(*runs)) and {a.shape for a in runs[0]} == {(4, 4)}
    assert len({a.tobytes() for a in runs[0]}) > 1


@pytest.mark.parametrize("image", [np.arange(12, dtype=np.uint8).reshape(2, 2, 3), minitorch.arange(12.0).reshape(3, 2, 2)])
def test_a_horizontal_flip_swaps_left_and_right_with_its_probability(image):
    flip = transforms.RandomHorizontalFlip
    mirrored = image[:, ::-1] if isinstance(image, np.ndarray) else image.flip(-1)
    assert (flip(p=1.0)(image) == mirrored).all() and (flip(p=0.0)(image) == image).all()
    assert 0 < sum(bool((flip()(image) == mirrored).all()) for _ in range(40)) < 40


def test_resize_keeps_the_form_and_the_dtype_of_an_image():
    image = np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3) * 10, 2, 0).repeat(2, 1)
    for form in (image, np.stack([image] * 3, -1), minitorch.tensor(image[None]), minitorch.tensor(image[None] / 1.0)):
        small = transforms.Resize(2, antialias=False)(form)
        assert small.dtype == form.dtype and len(small.shape) == len(form.shape)
        plane = small[0] if isinstance(form, minitorch.Tensor) else small if small.ndim == 2 else small[..., 1]
        assert plane.tolist() == [[0, 10, 20], [30, 40, 50]]
    assert transforms.Resize((3, 5))(minitorch.zeros(4, 1, 7, 7)).shape == (4, 1, 3, 5)
    assert transforms.Resize(3)(minitorch.zeros(1, 4, 7)).shape == (1, 3, 5)  # 3 * 7 / 4, cut off


def test_a_centre_crop_is_the_middle():
    assert transforms.CenterCrop(2)(np.arange(16).reshape(4, 4)).tolist() == [[5, 6], [9, 10]]
    assert transforms.CenterCrop(2)(minitorch.arange(16).reshape(1, 4, 4)).tolist() == [[[5, 6], [9, 10]]]
    for crop in (transforms.CenterCrop(5), transforms.RandomCrop((5, 2))):
        with pytest.raises(ValueError, match=r"Crop: expected an image of at least \(5, \d\), got \(4, 4\)"):
            crop(minitorch.zeros(1, 4, 4))


def test_there_is_one_mean_for_all_channels_or_one_for_each(device):
    for mean, channels in ((0.5, 3), ((0.5,), 3), ((0.5, 0.5), 2)):
        assert (transforms.Normalize(mean, 0.5)(minitorch.ones(channels, 2, 2, device=device)) == 1).all()
    for image, said in ((minitorch.ones(1, 2, 2), "(1, 2, 2)"), (minitorch.ones(2, 2), "(2, 2)")):
        message = f"Normalize: 2 means and 1 standard deviations do not fit an image (..., c, h, w) of shape {said}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            transforms.Normalize((0.5, 0.5), 0.5)(image)
    with pytest.raises(ValueError, match=r"shape \(2, 2\)$"):  # with one mean a dimension came out of nowhere
        transforms.Normalize(0.5, 0.5)(minitorch.ones(2, 2))


def test_normalize_works_in_place_on_demand():
    image = minitorch.ones(1, 2, 2)
    assert transforms.Normalize(0.5, 0.25, inplace=True)(image) is image and (image == 2).all()


def test_a_flip_and_a_crop_keep_whole_numbers_that_float32_cannot():
    image = minitorch.tensor([[[2**24 + 1, 2**31 + 1]]])
    assert transforms.RandomHorizontalFlip(1.0)(image).tolist() == [[[2**31 + 1, 2**24 + 1]]]
    assert transforms.RandomCrop((3, 4), padding=1)(image)[0, 1].tolist() == [0, 2**24 + 1, 2**31 + 1, 0]


def test_half_precision_is_resized_as_float32_and_rounded_once():
    image = minitorch.rand(1, 6, 8) * 255
    small = transforms.Resize(4)
    assert (small(image.half()) == small(image.half().float()).half()).all()


def test_a_black_and_white_picture_becomes_numbers_from_0_to_1():
    picture = pytest.importorskip("PIL.Image", reason="Pillow is not installed").new("1", (2, 1), 1)
    image = transforms.ToTensor()(picture)
    assert image.dtype == minitorch.float32 and image.tolist() == [[[1, 1]]]


def test_a_grid_has_its_images_in_rows_with_a_border():
    images = minitorch.stack([minitorch.full((1, 2, 2), float(i)) for i in range(3)])
    grid = utils.make_grid(images, nrow=2, padding=1, pad_value=9.0)
    assert grid.shape == (3, 7, 7)
    assert grid[0, 1:3, 1:3].tolist() == [[0, 0], [0, 0]] and grid[2, 4:6, 1:3].tolist() == [[2, 2], [2, 2]]
    assert grid[0, 0, 0] == 9 and grid[0, 4, 4] == 9
    assert utils.make_grid(images, normalize=True).max() == 1


def test_a_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    utils.save_image(minitorch.rand(4, 1, 8, 8), tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        utils.save_image(minitorch.full((1, 2, 2), float("nan")), tmp_path / "nan.png")


def test_resize_refuses_what_it_does_not_do():
    assert transforms.Resize(2, interpolation=2)(minitorch.zeros(1, 4, 4)).shape == (1, 2, 2)
    with pytest.raises(ValueError, match=r"^Resize: only bilinear interpolation is there, got 0$"):
        transforms.Resize(2, interpolation=0)


@pytest.mark.parametrize(
    "act, kind, said",
    [
        (lambda: transforms.Resize(0), ValueError, "Resize: expected one or two lengths of 1 or more, got 0"),
        (lambda: transforms.Resize([2, 3, 4]), ValueError, r"Resize: .*, got \[2, 3, 4\]"),
        (lambda: transforms.CenterCrop(2.5), TypeError, "CenterCrop: expected each length to be a whole number, got 2.5"),
        (lambda: transforms.RandomCrop((2, -1)), ValueError, r"RandomCrop: .*, got \(2, -1\)"),
        (lambda: transforms.RandomCrop(2, (1, 2)), TypeError, "RandomCrop: expected padding to be a whole number"),
        (lambda: transforms.RandomHorizontalFlip(2), ValueError, "expected a probability p from 0 to 1, got 2"),
        (
            lambda: transforms.CenterCrop(2)(np.zeros(4)),
            ValueError,
            r"expected an image \(h, w\) or \(h, w, c\), got shape \(4,\)",
        ),
        (lambda: transforms.Resize(2)(np.zeros((4, 0))), ValueError, r"expected an image .* got shape \(4, 0\)"),
        (
            lambda: transforms.RandomHorizontalFlip(1)(np.zeros((1, 2, 3, 4))),
            ValueError,
            r"\(h, w, c\), got shape \(1, 2, 3, 4",
        ),
        (lambda: transforms.ToTensor()(minitorch.zeros(3, 2, 2)), TypeError, "got a tensor; leave ToTensor out"),
        (lambda: utils.make_grid(minitorch.zeros(2, 1, 2, 2), nrow=0), ValueError, "make_grid: expected images, nrow > 0"),
        (lambda: utils.make_grid(minitorch.zeros(0, 1, 2, 2), normalize=True), ValueError, "make_grid: expected images"),
    ],
)
def test_what_cannot_be_done_with_an_image_is_said(act, kind, said):
    with pytest.raises(kind, match=said):
        act()


def test_one_length_may_stand_in_a_sequence():
    image = minitorch.zeros(1, 4, 6)
    assert transforms.Resize((2,))(image).shape == transforms.Resize(2)(image).shape == (1, 2, 3)
    assert transforms.CenterCrop([2])(image).shape == (1, 2, 2)


def test_a_grid_of_one_image_is_the_image():
    assert utils.make_grid(minitorch.ones(1, 1, 2, 2)).shape == (3, 2, 2)


def test_rotations_are_counter_clockwise_and_keep_the_form_of_the_image():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for turns in range(4):
        turn = transforms.RandomRotation((90 * turns, 90 * turns))
        assert (turn(pixels) == np.rot90(pixels, turns)).all() and turn(pixels).dtype == np.uint8
        images = minitorch.tensor(pixels.transpose(2, 0, 1) / 64).expand(2, 3, 4, 4)
        assert np.allclose(turn(images).numpy(), np.rot90(images.numpy(), turns, (2, 3)))
    drawn = [transforms.RandomRotation(90, fill=9)(minitorch.zeros(1, 8, 8)) for _ in range(9)]
    assert any(turned[0, 0, 0] == 9 for turned in drawn) and all(turned[0, 4, 4] == 0 for turned in drawn)


def test_affine_maps_move_scale_and_shear():
    pixels, spot = minitorch.arange(36.0).reshape(1, 6, 6), minitorch.zeros(1, 9, 9)
    spot[0, 4, 4] = 1
    to_the_right = transforms.RandomAffine(0).moved(pixels, 0, (2, 0), 1, (0, 0))
    assert to_the_right[..., 2:].equal(pixels[..., :4]) and not to_the_right[..., :2].any()
    assert transforms.RandomAffine(0, scale=(3, 3))(spot).sum() == 9
    sheared = transforms.RandomAffine(0, shear=(45, 45))(minitorch.eye(9)[4].expand(1, 9, 9).mT.contiguous())
    assert sheared.equal(minitorch.eye(9)[4].expand(1, 9, 9).mT)  # rows stay rows
    assert transforms.RandomAffine(0, shear=(45, 45))(sheared.mT)[0].equal(minitorch.eye(9).flip(1))
    moved = [transforms.RandomAffine(0, (0.5, 0))(spot).nonzero() for _ in range(30)]
    assert {len(place) for place in moved} == {1} and {place[0, 1].item() for place in moved} == {4}
    assert len({place[0, 2].item() for place in moved}) > 3


def test_an_affine_map_that_is_none_is_refused():
    for make, said in (
        (lambda: transforms.RandomRotation(-3), r"RandomRotation: expected \(low, high\), .*, got -3"),
        (lambda: transforms.RandomAffine(3, translate=(2, 0)), r"RandomAffine: .* got 3, translate=\(2, 0\)"),
        (lambda: transforms.RandomAffine(3, scale=(0, 1)), r"scales above 0, .* scale=\(0, 1\)"),
        (lambda: transforms.RandomAffine(3, interpolation="bicubic"), "only nearest and bilinear .* got bicubic"),
        (lambda: transforms.RandomRotation(3, expand=True), "only expand=False and center=None are there, got True and None"),
    ):
        with pytest.raises(ValueError, match=said):
            make()


def test_images_become_pils_and_come_back():
    for shape, mode in (((3, 2, 4), "RGB"), ((1, 2, 4), "L"), ((4, 2, 4), "RGBA"), ((2, 4), "L")):
        pixels = minitorch.arange(float(np.prod(shape))).reshape(shape) / 255
        image = transforms.ToPILImage()(pixels)
        assert (image.mode, image.size) == (mode, (4, 2))
        assert minitorch.allclose(transforms.ToTensor()(image).reshape(shape), pixels, atol=1 / 255)
    assert transforms.ToPILImage("F")(minitorch.full((1, 2, 2), 0.25)).getpixel((0, 0)) == 0.25
    assert transforms.ToPILImage()(np.full((2, 3), 7, np.uint8)).getpixel((2, 1)) == 7
    for pic, mode, said in (
        (np.zeros((2, 2, 5)), None, r"of 1 to 4 channels, got shape \(2, 2, 5\)"),
        (np.zeros((2, 2)), "RGB", "mode L .* RGB"),
    ):
        with pytest.raises(ValueError, match=f"ToPILImage: expected .*{said}"):
            transforms.ToPILImage(mode)(pic)
