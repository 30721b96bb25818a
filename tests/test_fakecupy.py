"""The stand-in for CuPy is as strict as CuPy.

The expressions of ``fakecupy/_conformance.py`` run on the stand-in always and on CuPy itself where it is installed.
Without a GPU CuPy still decides most of them (views, names, parameters): its arrays are then laid over host memory, and
an expression that needs the driver is skipped.
"""

import contextlib
import importlib
import inspect
import operator
import sys
import weakref

import numpy as np
import pytest

from tests import fakecupy
from tests.fakecupy import _functions, _surface
from tests.fakecupy._conformance import REFUSED, STRICTER, SYNCS, UPLOADS, VALUES


class Plain:
    def __radd__(self, other):
        return "radd"


class Tensor(Plain):
    __array_ufunc__ = None


def upload(xp, host):
    """``host`` on the device of ``xp``; without a GPU, a real CuPy array over host memory."""
    if xp.__name__ != "cupy" or xp.cuda.is_available():
        return xp.asarray(host)
    host = host.copy()
    memory = xp.cuda.UnownedMemory(host.ctypes.data, host.nbytes, host, 0)
    return xp.ndarray(host.shape, host.dtype, memptr=xp.cuda.MemoryPointer(memory, 0))


def evaluate(expression, xp):
    host = np.arange(12, dtype="f").reshape(3, 4)
    arrays = {
        name: upload(xp, value) for name, value in {"x": host, "m": host > 2, "i": np.array([0, 2]), "n": np.array(2)}.items()
    }
    counted = fakecupy.syncs, fakecupy.h2d
    names = {
        "h": host,
        "xp": xp,
        "np": np,
        "weakref": weakref,
        "Plain": Plain,
        "Tensor": Tensor,
        "iadd": operator.iadd,
        "setitem": operator.setitem,
        "is_array": lambda *values: all(type(value) is xp.ndarray for value in values),
    }
    value = eval(expression, {**arrays, **names})
    return value, fakecupy.syncs - counted[0], fakecupy.h2d - counted[1]


@pytest.fixture(params=["fakecupy", "cupy"])
def xp(request):
    return fakecupy if request.param == "fakecupy" else pytest.importorskip("cupy", reason="CuPy is not installed")


@pytest.fixture
def decided(xp):
    """Turns "no driver" of the real CuPy into a skip."""

    def run(expression):
        try:
            return evaluate(expression, xp)[0]
        except (ImportError, RuntimeError) as error:
            if xp is fakecupy or xp.cuda.is_available() or isinstance(error, NotImplementedError):
                raise
            pytest.skip("CuPy needs a GPU to decide this")

    return run


@pytest.mark.parametrize(("expression", "error"), REFUSED)
def test_what_cupy_refuses_is_refused_and_passes_on_numpy(decided, expression, error):
    evaluate(expression, np)
    with pytest.raises(error):
        decided(expression)


@pytest.mark.parametrize(("expression", "error"), STRICTER)
def test_the_stand_in_is_stricter_where_cupy_hides_a_mistake(expression, error):
    with pytest.raises(error):
        evaluate(expression, fakecupy)


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_what_cupy_allows_has_cupys_value(decided, expression, value):
    assert decided(expression) == value


@pytest.mark.parametrize(("expression", "syncs"), SYNCS)
def test_every_wait_for_the_device_is_counted_and_can_be_forbidden(expression, syncs):
    assert evaluate(expression, fakecupy)[1] == syncs
    with fakecupy.forbid_sync():
        if syncs:
            with pytest.raises(AssertionError, match="wait for the device"):
                evaluate(expression, fakecupy)
        else:
            evaluate(expression, fakecupy)


@pytest.mark.parametrize(("expression", "uploads"), UPLOADS)
def test_every_copy_to_the_device_is_counted(expression, uploads):
    assert evaluate(expression, fakecupy)[2] == uploads


def test_a_view_keeps_the_owner_of_its_memory_alive_but_no_view_between(xp):
    owner = upload(xp, np.arange(12, dtype="f").reshape(3, 4))
    between = owner[1:]
    view = between[:, 1:]
    owner_lives, between_lives = weakref.ref(owner), weakref.ref(between)
    del owner, between
    assert between_lives() is None and owner_lives() is view.base
    del view
    assert owner_lives() is None


def test_an_as_strided_view_keeps_the_memory_alive_but_not_the_array(xp):
    owner = upload(xp, np.arange(12, dtype="f"))
    view = xp.lib.stride_tricks.as_strided(owner, (3, 2), (8, 4))
    address, owner_lives = owner.data.ptr, weakref.ref(owner)
    del owner
    assert owner_lives() is None and view.base is None and view.data.ptr == address


def as_strided_windows(xp, x, k):
    n, c, h, w = x.shape
    shape, strides = (n, c, h - k + 1, w - k + 1, k, k), x.strides + x.strides[2:]
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def sliding_windows(xp, x, k):
    return xp.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))


def train_convnet(xp, windows, steps=4):
    """Convolution, ReLU, max pooling, a linear layer, cross-entropy and momentum by hand: losses and weights."""
    host = np.random.default_rng(0)
    x = xp.asarray(host.standard_normal((8, 2, 8, 8), dtype="f"))
    labels = xp.asarray(host.integers(0, 5, 8))
    weights = [xp.asarray(0.2 * host.standard_normal(shape, dtype="f")) for shape in ((18, 6), (54, 5))]
    momenta = [xp.zeros_like(weight) for weight in weights]
    rows = xp.arange(8)
    losses = []
    for _ in range(steps):
        columns = windows(xp, x, 3).transpose(0, 2, 3, 1, 4, 5).reshape(8 * 36, 18)
        features = xp.maximum(columns @ weights[0], 0).reshape(8, 6, 6, 6)
        corners = [features[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        pooled = corners[0].copy()
        for corner in corners[1:]:
            xp.maximum(pooled, corner, out=pooled)
        flat = pooled.reshape(8, 54)
        logits = flat @ weights[1]
        logits -= logits.max(axis=1, keepdims=True)
        exp = xp.exp(logits)
        total = exp.sum(axis=1, keepdims=True)
        losses.append(float((xp.log(total[:, 0]) - logits[rows, labels]).mean()))
        upstream = exp / total
        xp.add.at(upstream, (rows, labels), -1)
        upstream /= 8
        pooled_grad = (upstream @ weights[1].T).reshape(pooled.shape)
        feature_grad = xp.zeros_like(features)
        for k, corner in enumerate(corners):
            feature_grad[:, k // 2 :: 2, k % 2 :: 2] = xp.where((corner == pooled) & (corner > 0), pooled_grad, 0)
        gradients = [columns.T @ feature_grad.reshape(8 * 36, 6), flat.T @ upstream]
        for weight, momentum, gradient in zip(weights, momenta, gradients):
            momentum *= 0.9
            momentum += gradient
            weight -= 0.1 * momentum
    return losses, weights


@pytest.mark.parametrize(("windows", "syncs_per_step"), [(as_strided_windows, 1), (sliding_windows, 3)])
def test_a_convnet_trains_bit_identically_to_numpy_and_waits_once_for_each_loss(windows, syncs_per_step):
    losses, weights = train_convnet(np, windows)
    before = fakecupy.syncs
    device_losses, device_weights = train_convnet(fakecupy, windows)
    assert fakecupy.syncs - before == 4 * syncs_per_step
    assert device_losses == losses and losses[-1] < losses[0]
    for ours, device in zip(weights, device_weights):
        assert device.dtype == np.float32
        np.testing.assert_array_equal(device.get(), ours)


def modules_of_cupy():
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("cupy", "cupyx")}


def test_import_cupy_finds_the_stand_in_only_while_it_is_installed():
    before = modules_of_cupy()
    with contextlib.suppress(KeyError), fakecupy.install():
        import cupy
        import cupy.random
        from cupy.lib.stride_tricks import as_strided

        assert cupy is fakecupy and cupy.random is fakecupy.random
        assert as_strided is fakecupy.lib.stride_tricks.as_strided
        with pytest.raises(ImportError, match="not a package"):
            importlib.import_module("cupyx.scipy")
        raise KeyError
    assert modules_of_cupy() == before


def test_the_device_can_be_asked_for():
    assert fakecupy.cuda.is_available() and fakecupy.cuda.runtime.getDeviceCount() == 1
    with fakecupy.cuda.Device(0):
        assert repr(fakecupy.zeros(1).device) == "<CUDA Device 0>"
    with pytest.raises(fakecupy.cuda.runtime.CUDARuntimeError, match="invalid device"):
        fakecupy.cuda.Device(1).use()


@pytest.mark.parametrize(
    "draw",
    [
        lambda xp: xp.random.default_rng(3).random(50, dtype="f"),
        lambda xp: xp.random.default_rng(3).standard_normal(50, dtype="f"),
        lambda xp: xp.random.RandomState(3).randint(0, 1000, 50),
    ],
)
def test_random_numbers_are_repeatable_and_never_numpys(draw):
    ours = draw(fakecupy).tolist()
    assert draw(fakecupy).tolist() == ours != draw(np).tolist()


def test_the_random_stream_is_not_that_of_numpys_philox_either():
    philox = np.random.Generator(np.random.Philox(3))
    assert fakecupy.random.default_rng(3).random(50).tolist() != philox.random(50).tolist()


def test_the_legacy_random_state_shuffles_and_draws_in_the_dtype_asked_for():
    random = fakecupy.random.RandomState(0)
    assert sorted(random.permutation(9).tolist()) == list(range(9))
    assert random.normal(size=(2, 3), dtype="f").dtype == np.float32
    assert random.uniform(2, 3, 100).min().item() >= 2
    with pytest.raises(TypeError, match="float32 and float64"):
        random.rand(3, dtype="e")
    with pytest.raises(NotImplementedError):
        random.gumbel()


def test_every_name_of_cupy_resolves_or_says_that_it_is_not_modelled():
    unmodelled = set()
    for module in ("cupy", "cupy.linalg", "cupy.fft", "cupy.lib.stride_tricks"):
        for name in _functions.names(module):
            try:
                _functions.resolve(module, name)
            except NotImplementedError:
                unmodelled.add(name)
    assert unmodelled.isdisjoint({"add", "where", "pad", "einsum", "put_along_axis", "ndarray", "float32", "norm"})
    public = {name for name in vars(fakecupy) if not name.startswith("_")}
    assert public - {"forbid_sync", "install", "make_surface"} <= set(_functions.names("cupy"))


def test_functions_written_out_by_hand_have_cupys_parameters():
    for (module, name), function in _functions.SPECIAL.items():
        entry = _surface.MODULES[module]["functions"].get(name)
        if entry is not None:
            theirs = _surface.Parameters(name, entry)
            ours = inspect.signature(function).parameters.values()
            by_position = [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
            assert by_position == theirs.required + theirs.optional, name
            assert {p.name for p in ours if p.kind is p.KEYWORD_ONLY} == theirs.keyword_only, name


def test_the_surface_is_that_of_the_installed_cupy():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.__version__ != _surface.VERSION:
        pytest.skip(f"surface.json is CuPy {_surface.VERSION}'s, and {cupy.__version__} is installed")
    from tests.fakecupy.make_surface import surface

    assert surface() == {"version": _surface.VERSION, "modules": _surface.MODULES, "classes": _surface.CLASSES}
