"""Factories and random numbers: shapes, dtypes, values, what is refused, and what a seed promises."""

import itertools
import threading
import time

import numpy as np
import pytest

import minitorch as mt

SHAPED = {"zeros": mt.zeros, "ones": mt.ones, "empty": mt.empty, "rand": mt.rand, "randn": mt.randn}
# fmt: off
LIKE = {
    "zeros_like": mt.zeros_like, "ones_like": mt.ones_like, "empty_like": mt.empty_like, "rand_like": mt.rand_like,
    "randn_like": mt.randn_like, "full_like": lambda x, **kwargs: mt.full_like(x, 7, **kwargs),
    "randint_like": lambda x, **kwargs: mt.randint_like(x, 3, 9, **kwargs),
}
# fmt: on


@pytest.fixture(autouse=True)
def seeded():
    mt.manual_seed(0)


# ---- shapes and dtypes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPED)
def test_a_shape_is_given_as_numbers_or_as_a_sequence(name):
    factory = SHAPED[name]
    for tensor in (factory(2, 3), factory((2, 3)), factory([2, 3]), factory(np.int64(2), mt.tensor(3))):
        assert tensor.shape == (2, 3) and tensor.dtype == mt.float32 and not tensor.requires_grad
    assert factory(4).shape == (4,) and factory(()).shape == () and factory(0, 3).shape == (0, 3)


@pytest.mark.parametrize("name", SHAPED)
def test_factories_take_a_dtype_a_device_and_requires_grad(name):
    tensor = SHAPED[name](2, dtype=mt.float64, device="cpu", requires_grad=True)
    assert tensor.dtype == mt.float64 and str(tensor.device) == "cpu" and tensor.requires_grad and tensor.is_leaf


@pytest.mark.parametrize("name", SHAPED)
def test_lengths_must_be_whole_and_not_negative(name):
    with pytest.raises(ValueError, match=rf"{name}: expected lengths of 0 or more, got \(2, -1\)"):
        SHAPED[name](2, -1)
    for wrong in ((2.5,), ("2",), (None,)):
        with pytest.raises(TypeError, match=f"{name}: expected each length to be a whole number, got"):
            SHAPED[name](*wrong)


@pytest.mark.parametrize("name", LIKE)
def test_like_factories_take_shape_dtype_and_device_from_a_tensor(name):
    model = mt.ones(2, 3, dtype=mt.float64, requires_grad=True)
    tensor = LIKE[name](model)
    assert tensor.shape == (2, 3) and tensor.dtype == mt.float64 and not tensor.requires_grad
    assert tensor.array is not model.array
    assert LIKE[name](model, dtype=mt.float16).dtype == mt.float16
    assert LIKE[name](model, requires_grad=True).requires_grad


def test_values():
    assert mt.zeros(2).tolist() == [0.0, 0.0] and mt.ones(2).tolist() == [1.0, 1.0]
    assert mt.full((2, 2), 1.5).tolist() == [[1.5, 1.5], [1.5, 1.5]] and mt.full(2, 3.0).tolist() == [3.0, 3.0]
    assert mt.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]] and mt.eye(1, 2).tolist() == [[1.0, 0.0]]
    assert mt.zeros_like(mt.ones(2)).tolist() == [0.0, 0.0] and mt.full_like(mt.ones(2), 7).tolist() == [7.0, 7.0]
    assert mt.ones(3).new_zeros(2).tolist() == [0.0, 0.0]
    assert mt.ones(1, dtype=mt.float64).new_ones(1, 2).dtype == mt.float64
    whole = mt.tensor([1])
    assert (
        whole.new_empty(2, 3).shape == (2, 3) and whole.new_empty(size=(2,)).dtype == whole.new_tensor(True).dtype == mt.int64
    )
    assert mt.ones(1).new_full((2,), 3).tolist() == mt.ones(1).new_full(size=(2,), fill_value=3).tolist() == [3.0, 3.0]
    assert mt.ones(1).new_tensor(whole, dtype=mt.float64, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    "value, dtype",
    [
        (1.5, "float32"),
        (3, "int64"),
        (True, "bool"),
        (np.float64(1.5), "float32"),
        (np.int32(3), "int64"),
        (np.bool_(True), "bool"),
    ],
)
def test_full_takes_its_dtype_from_the_kind_of_number(value, dtype):
    assert mt.full((2,), value).dtype == np.dtype(dtype)
    assert mt.full((2,), value, dtype=mt.float64).dtype == mt.float64


def test_arange_is_whole_if_its_bounds_are():
    assert mt.arange(3).tolist() == [0, 1, 2] and mt.arange(3).dtype == mt.int64
    assert mt.arange(1, 7, 2).tolist() == [1, 3, 5] and mt.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert mt.arange(3.0).dtype == mt.arange(0, 1, 0.25).dtype == mt.float32
    assert mt.arange(0, 1, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert mt.arange(3, dtype=mt.float32).dtype == mt.float32 and mt.arange(2, 2).shape == (0,)
    assert mt.arange(np.int64(3)).dtype == mt.int64
    assert mt.arange(end=3).tolist() == [0, 1, 2] and mt.arange(end=2.0).dtype == mt.float32
    for numbers in itertools.product((0, 0.0, 1.0), (3, 3.0), (1, 1.0)):
        assert mt.arange(*numbers).dtype == (mt.float32 if float in map(type, numbers) else mt.int64)


@pytest.mark.parametrize("arguments", [(3, 0), (0, 3, -1), (0, 3, 0), ()])
def test_arange_refuses_a_step_that_leads_nowhere(arguments):
    with pytest.raises(ValueError, match="arange: no step of"):
        mt.arange(*arguments)


def test_linspace_includes_both_ends():
    assert mt.linspace(0, 1, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0] and mt.linspace(3, 4, 1).tolist() == [3.0]
    assert mt.linspace(0, 1, 3).dtype == mt.float32 and mt.linspace(0, 1, 3, dtype=mt.float64).dtype == mt.float64


# ---- tensors from arrays -------------------------------------------------------------------------------------------------


def test_tensor_copies_and_from_numpy_shares():
    memory = np.array([1.0, 2.0])
    copy, shared, as_tensor = mt.tensor(memory), mt.from_numpy(memory), mt.as_tensor(memory)
    memory[0] = 9.0
    assert copy.tolist() == [1.0, 2.0] and shared.tolist() == as_tensor.tolist() == [9.0, 2.0]
    shared[1] = 8.0
    assert memory.tolist() == [9.0, 8.0] and shared.dtype == mt.float64


def test_tensor_of_a_tensor_is_a_copy_without_history():
    x = mt.ones(2, requires_grad=True)
    copy = mt.tensor(x * 2)
    assert copy.tolist() == [2.0, 2.0] and not copy.requires_grad and copy.is_leaf
    assert mt.tensor([1.0], requires_grad=True).requires_grad


def test_as_tensor_hands_back_a_tensor_and_copies_what_must_change():
    x = mt.ones(2)
    assert mt.as_tensor(x) is x and mt.as_tensor(x, dtype=mt.float64) is not x
    assert mt.as_tensor([1.0, 2.0]).dtype == mt.float32 and mt.as_tensor(3).dtype == mt.int64


def test_from_numpy_keeps_strides():
    memory = np.arange(6.0).reshape(2, 3)
    x = mt.from_numpy(memory.T)
    assert x.shape == (3, 2) and x.stride() == (1, 3) and not x.is_contiguous()
    assert mt.from_numpy(memory[:, ::-1]).tolist() == memory[:, ::-1].tolist()


@pytest.mark.parametrize("factory", [mt.from_numpy, mt.as_tensor])
@pytest.mark.parametrize(
    "array",
    [np.array(["a"]), np.array([object()]), np.ones(2, ">f4"), np.ones(2, np.longdouble)],
    ids=["text", "object", "bytes", "long"],
)
def test_arrays_that_hold_no_native_numbers_are_refused(factory, array):
    with pytest.raises(TypeError, match="from_numpy: expected numbers"):
        factory(array)


def test_from_numpy_takes_nothing_but_arrays():
    for wrong in ([1.0], 1.0, mt.ones(1)):
        with pytest.raises(TypeError, match="from_numpy: expected a NumPy array, got"):
            mt.from_numpy(wrong)


# ---- random numbers ------------------------------------------------------------------------------------------------------

# fmt: off
DRAWS = {
    "rand": lambda **kwargs: mt.rand(3, 5, **kwargs), "randn": lambda **kwargs: mt.randn(3, 5, **kwargs),
    "randint": lambda **kwargs: mt.randint(0, 1000, (3, 5), **kwargs), "randperm": lambda **kwargs: mt.randperm(20, **kwargs),
    "bernoulli": lambda **kwargs: mt.bernoulli(mt.full((3, 5), 0.5), **kwargs),
    "uniform_": lambda **kwargs: mt.empty(3, 5).uniform_(-1, 2, **kwargs),
    "normal_": lambda **kwargs: mt.empty(3, 5).normal_(1, 2, **kwargs),
}
# fmt: on


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_numbers(name):
    draw = DRAWS[name]
    first = draw()
    second = draw()
    mt.manual_seed(0)
    assert draw().tolist() == first.tolist() and draw().tolist() == second.tolist()
    assert first.tolist() != second.tolist()
    mt.manual_seed(1)
    assert draw().tolist() != first.tolist()


@pytest.mark.parametrize("name", DRAWS)
def test_a_generator_draws_by_itself(name):
    draw, generator = DRAWS[name], mt.Generator().manual_seed(0)
    expected = draw()
    mt.manual_seed(0)
    assert draw(generator=generator).tolist() == expected.tolist()
    assert draw().tolist() == expected.tolist()  # the default generator was not touched


@pytest.mark.parametrize("name", DRAWS)
def test_a_state_put_back_gives_the_same_numbers_again(name):
    draw, generator = DRAWS[name], mt.Generator().manual_seed(5)
    mt.randn(3, generator=generator)  # an odd number of float32: half a word is left over
    state = generator.get_state()
    expected = [draw(generator=generator).tolist() for _ in range(2)]
    assert [draw(generator=generator.set_state(state)).tolist(), draw(generator=generator).tolist()] == expected
    other = mt.Generator().set_state(state)
    assert draw(generator=other).tolist() == expected[0] and other.initial_seed() == 5


def test_the_state_of_the_default_generator_can_be_kept():
    state = mt.get_rng_state()
    expected = mt.rand(3).tolist()
    mt.set_rng_state(state)
    assert mt.rand(3).tolist() == expected and state.dtype == mt.uint8


@pytest.mark.parametrize("state", [mt.zeros(52), mt.zeros(5, dtype=mt.uint8), None, b"x" * 52])
def test_a_state_that_get_state_did_not_give_is_refused(state):
    with pytest.raises(ValueError, match="set_state: expected a uint8 tensor of 52 bytes, as get_state gives"):
        mt.Generator().set_state(state)


def test_a_seed_may_have_any_sign_and_is_remembered():
    assert mt.manual_seed(7).initial_seed() == mt.initial_seed() == 7
    assert mt.manual_seed(-1).initial_seed() == 2**64 - 1
    minus = mt.rand(3).tolist()
    mt.manual_seed(2**64 - 1)
    assert mt.rand(3).tolist() == minus


def test_without_a_seed_every_generator_is_its_own():
    assert mt.rand(4, generator=mt.Generator()).tolist() != mt.rand(4, generator=mt.Generator()).tolist()
    assert mt.seed() == mt.initial_seed() != mt.seed()


def test_the_numbers_of_a_seed_are_those_published():
    """What a seed gives must not change from one version to the next: runs are repeated by it."""
    mt.manual_seed(0)
    numbers = np.random.Generator(np.random.SFC64(np.random.SeedSequence(0)))
    assert mt.randn(3).tolist() == numbers.standard_normal(3, np.float32).tolist()
    assert mt.rand(3).tolist() == numbers.random(3, np.float32).tolist()
    assert mt.randint(10, (3,)).tolist() == numbers.integers(0, 10, 3).tolist()
    assert mt.randperm(5).tolist() == numbers.permutation(5).tolist()


@pytest.mark.parametrize("dtype", [mt.float16, mt.float32, mt.float64])
def test_draws_have_their_dtype_and_their_distribution(dtype):
    uniform, normal = mt.rand(20_000, dtype=dtype), mt.randn(20_000, dtype=dtype)
    assert uniform.dtype == normal.dtype == dtype
    numbers = uniform.double()
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean().item() - 0.5) < 0.01 and abs(numbers.std().item() - 12**-0.5) < 0.01
    assert abs(normal.double().mean().item()) < 0.03 and abs(normal.double().std().item() - 1) < 0.03


def test_rounding_makes_no_draw_likelier_or_the_upper_bound():
    mt.manual_seed(0)
    assert mt.empty(20_000, dtype=mt.float16).uniform_(1, 2).max() < 2
    p = 1 - 2.0**-11  # next to 1 in float16; its draws are 0 with probability 0.00049, of rounded numbers 0.00073 were
    zeros = 400_000 - mt.bernoulli(mt.full((400_000,), p, dtype=mt.float16)).double().sum().item()
    assert abs(zeros - 400_000 * (1 - p)) < 5 * (400_000 * (1 - p)) ** 0.5
    rare = mt.distributions.Categorical(mt.ones(20_000, dtype=mt.float16)).sample((200,))  # of 0.00005 each
    assert abs(rare.double().mean().item() / 10_000 - 1) < 5 / (3 * 200) ** 0.5


def test_random_numbers_reach_the_largest_of_an_integer_dtype():
    mt.manual_seed(0)
    numbers = mt.empty(9000, dtype=mt.uint8).random_()
    assert numbers.unique().tolist() == list(range(256))
    assert numbers.random_(**{"from": 253}).unique().tolist() == [253, 254, 255]


def test_draws_in_place_have_their_bounds_and_moments():
    uniform, normal = mt.empty(20_000).uniform_(-2, 3), mt.empty(20_000).normal_(5, 0.5)
    assert uniform.min() >= -2 and uniform.max() <= 3 and abs(uniform.mean().item() - 0.5) < 0.05
    assert abs(normal.mean().item() - 5) < 0.02 and abs(normal.std().item() - 0.5) < 0.02


def test_randint_takes_its_bounds_as_pytorch_does():
    for tensor in (
        mt.randint(4, (1000,)),
        mt.randint(0, 4, (1000,)),
        mt.randint(high=4, size=(1000,)),
        mt.randint(4, size=[1000]),
    ):
        assert tensor.dtype == mt.int64 and set(tensor.tolist()) == {0, 1, 2, 3}
    assert set(mt.randint(-2, 0, (100,)).tolist()) == {-2, -1} and mt.randint(4, (2,), dtype=mt.float32).dtype == mt.float32
    with pytest.raises(ValueError, match="randint: expected low < high, got 3 and 3"):
        mt.randint(3, 3, (2,))
    with pytest.raises(TypeError, match="randint: expected a shape, got 5"):
        mt.randint(3, 5)


def test_randperm_holds_every_number_once():
    assert sorted(mt.randperm(100).tolist()) == list(range(100)) and mt.randperm(0).shape == (0,)


def test_bernoulli_draws_ones_with_the_probabilities_given():
    assert mt.bernoulli(mt.tensor([0.0, 1.0] * 50)).tolist() == [0.0, 1.0] * 50
    assert abs(mt.bernoulli(mt.full((20_000,), 0.3)).mean().item() - 0.3) < 0.02
    for wrong in ([-0.1], [1.1], [float("nan")]):
        with pytest.raises(ValueError, match=r"bernoulli: expected probabilities from 0 to 1 in a tensor of shape \(1,\)"):
            mt.bernoulli(mt.tensor(wrong))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: mt.rand(3, dtype=mt.int64),
        lambda: mt.randn(3, dtype=mt.int64),
        lambda: mt.rand_like(mt.tensor([1, 2])),
        lambda: mt.randn_like(mt.tensor([True])),
        lambda: mt.tensor([1, 2]).uniform_(),
        lambda: mt.tensor([1, 2]).normal_(),
    ],
)
def test_fractions_are_not_drawn_as_integers(draw):
    with pytest.raises(TypeError, match=r"(randn?|uniform_|normal_): expected a floating.* got (int64|bool)"):
        draw()


def test_one_hot_names_the_class_that_is_out_of_range():
    one_hot = mt.functional.one_hot
    assert one_hot(mt.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]] and one_hot(mt.tensor([0]), 3).shape == (1, 3)
    with pytest.raises(ValueError, match=r"one_hot: a class of 3 outside 0\.\.2"):
        one_hot(mt.tensor([3]), 3)
    with pytest.raises(ValueError, match="one_hot: a class of -1 outside"):
        one_hot(mt.tensor([-1]), 3)
    with pytest.raises(ValueError, match="one_hot: a class of -1 below 0"):
        one_hot(mt.tensor([-1]))
    with pytest.raises(TypeError, match="one_hot: expected integers, got float32"):
        one_hot(mt.ones(2))


def test_threads_that_draw_first_at_once_share_one_stream(monkeypatch):
    sequence = np.random.SeedSequence
    monkeypatch.setattr(np.random, "SeedSequence", lambda seed: time.sleep(0.02) or sequence(seed))  # so that all meet there
    generator = mt.Generator().manual_seed(5)
    together = threading.Barrier(8)
    streams = []

    def draw():
        together.wait()
        streams.append(generator.numpy)

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(stream) for stream in streams}) == 1
