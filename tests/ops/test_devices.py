"""Devices: the CPU, and a GPU where CuPy has one (the strict stand-in for CuPy where it has none)."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt

# fmt: off
FACTORIES = {
    "tensor": lambda **kwargs: mt.tensor([1.0, 2.0], **kwargs), "tensor of an array": lambda **kwargs: mt.tensor(
        np.ones(2), **kwargs), "as_tensor": lambda **kwargs: mt.as_tensor(np.ones(2), **kwargs),
    "zeros": lambda **kwargs: mt.zeros(2, **kwargs), "ones": lambda **kwargs: mt.ones(2, **kwargs),
    "empty": lambda **kwargs: mt.empty(2, **kwargs), "full": lambda **kwargs: mt.full((2,), 3.0, **kwargs),
    "arange": lambda **kwargs: mt.arange(2, **kwargs), "linspace": lambda **kwargs: mt.linspace(0, 1, 2, **kwargs),
    "eye": lambda **kwargs: mt.eye(2, **kwargs), "rand": lambda **kwargs: mt.rand(2, **kwargs),
    "randn": lambda **kwargs: mt.randn(2, **kwargs), "randint": lambda **kwargs: mt.randint(9, (2,), **kwargs),
    "randperm": lambda **kwargs: mt.randperm(2, **kwargs), "zeros_like": lambda **kwargs: mt.zeros_like(mt.ones(2), **kwargs),
    "ones_like": lambda **kwargs: mt.ones_like(mt.ones(2), **kwargs), "empty_like": lambda **kwargs: mt.empty_like(
        mt.ones(2), **kwargs), "full_like": lambda **kwargs: mt.full_like(mt.ones(2), 3, **kwargs),
    "rand_like": lambda **kwargs: mt.rand_like(mt.ones(2), **kwargs), "randn_like": lambda **kwargs: mt.randn_like(
        mt.ones(2), **kwargs), "randint_like": lambda **kwargs: mt.randint_like(mt.ones(2), 9, **kwargs),
    "new_zeros": lambda **kwargs: mt.ones(2).new_zeros(2, **kwargs), "new_ones": lambda **kwargs: mt.ones(2).new_ones(
        2, **kwargs), "new_empty": lambda **kwargs: mt.ones(2).new_empty(2, **kwargs), "new_full": lambda **kwargs: mt.ones(
        2).new_full((2,), 3, **kwargs), "new_tensor": lambda **kwargs: mt.ones(2).new_tensor([3, 4], **kwargs),
}
# fmt: on
FROM_A_TENSOR = [name for name in FACTORIES if name.endswith("_like") or name.startswith("new_")]


@pytest.fixture
def default_cuda(cupy):
    mt.set_default_device("cuda")
    yield
    mt.set_default_device("cpu")


def run_without_gpu(program, *arguments):
    """What a program prints in a process of its own, where no CuPy can be imported."""
    blocked = "import sys; sys.modules['cupy'] = None\n" + textwrap.dedent(program)
    root = str(Path(mt.__file__).parents[1])
    result = subprocess.run([sys.executable, "-c", blocked, *arguments], capture_output=True, text=True, cwd=root, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


# ---- naming devices ------------------------------------------------------------------------------------------------------


def test_a_device_is_a_name_and_an_index():
    assert str(mt.device("cpu")) == "cpu" and str(mt.device("cuda")) == "cuda:0"
    assert mt.device("cuda") == mt.device("cuda:0") == mt.device("cuda", 0) != mt.device("cpu")
    assert (mt.device("cuda").type, mt.device("cuda").index, mt.device("cpu").index) == ("cuda", 0, None)
    assert len({mt.device("cuda"), mt.device("cuda:0")}) == 1


def test_another_gpu_can_be_named_but_not_used():
    assert repr(mt.device("cpu")) == "device(type='cpu')" and repr(mt.device("cuda", 1)) == "device(type='cuda', index=1)"
    assert str(mt.device("cuda:1")) == "cuda:1" and mt.device("cuda:1") != mt.device("cuda")
    with pytest.raises(RuntimeError, match="device 'cuda:1' cannot be used: minitorch computes on one GPU, 'cuda:0'"):
        mt.zeros(1, device="cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", ""])
def test_an_unknown_device_is_named(name):
    with pytest.raises(ValueError, match=f"device: expected 'cpu', 'cuda' or 'cuda:0', got '{name}'"):
        mt.device(name)
    with pytest.raises(ValueError, match="device: expected 'cpu', 'cuda' or 'cuda:0', got"):
        mt.zeros(1, device=name)


# ---- without a GPU -------------------------------------------------------------------------------------------------------


def test_importing_minitorch_does_not_import_cupy():
    program = """
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                assert name.partition(".")[0] not in ("cupy", "cupyx"), name
        del sys.modules["cupy"]
        sys.meta_path.insert(0, Refuse())
        import minitorch as mt, minitorch.optim, minitorch.utils.data
        x = mt.ones(2, requires_grad=True)
        (mt.tensor(x) * x).sum().backward()
        print("cupy" in sys.modules)
    """
    assert run_without_gpu(program) == "False\n"


def test_a_gpu_that_is_not_there_is_refused_with_the_reason():
    program = """
        import minitorch as mt
        print(mt.cuda.is_available(), mt.cuda.device_count())
        x = mt.ones(2)
        for ask in (lambda: mt.zeros(2, device="cuda"), lambda: x.to("cuda"), lambda: x.cuda(), lambda: mt.cuda.synchronize(),
                    lambda: mt.cuda.set_device(0), lambda: mt.set_default_device("cuda"), lambda: mt.tensor([1.0], device=mt.device("cuda"))):
            try:
                ask()
            except RuntimeError as error:
                print(error)
        print(mt.zeros(1).device)
    """
    first, *errors, last = run_without_gpu(program).splitlines()
    assert first == "False 0" and last == "cpu" and len(errors) == 7
    for error in errors:
        assert error.startswith("device 'cuda' cannot be used: ") and "cupy" in error
        assert "cuda12 or cuda13 extra" in error and error.endswith("or use device 'cpu'.")


def test_a_cupy_without_a_working_gpu_is_refused_with_its_own_reason(cupy, monkeypatch):
    monkeypatch.setattr(cupy.cuda, "is_available", lambda: False)
    assert not mt.cuda.is_available() and mt.cuda.device_count() == 0
    with pytest.raises(RuntimeError, match="device 'cuda' cannot be used: CuPy finds no CUDA device"):
        mt.zeros(1, device="cuda")

    def broken():
        raise ImportError("libnvrtc.so: cannot open shared object file")

    monkeypatch.setattr(cupy.cuda, "is_available", broken)
    assert not mt.cuda.is_available()
    with pytest.raises(RuntimeError, match=r"device 'cuda' cannot be used: libnvrtc\.so"):
        mt.zeros(1, device="cuda")


# ---- to the device and back ----------------------------------------------------------------------------------------------


def test_a_gpu_is_tried_once_not_at_each_transfer(cupy, monkeypatch):
    assert mt.cuda.is_available()
    monkeypatch.setattr(cupy, "arange", None)
    assert mt.zeros(2).cuda().is_cuda and mt.ones(2, device="cuda").is_cuda


def test_cuda_is_available_where_it_is(cupy):
    assert mt.cuda.is_available() and mt.cuda.device_count() == 1 and mt.cuda.current_device() == 0
    mt.cuda.synchronize()


def test_only_the_first_gpu_can_be_chosen(cupy):
    for first in (0, -1, "cuda", "cuda:0", mt.device("cuda")):
        mt.cuda.set_device(first)
    for other in (1, "cuda:1", "cpu", mt.device("cuda", 1)):
        with pytest.raises(ValueError, match="set_device: expected the first GPU, since at most one is used, got"):
            mt.cuda.set_device(other)


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x.to("cuda"),
        lambda x: x.to(mt.device("cuda")),
        lambda x: x.to(device="cuda:0"),
        lambda x: x.cuda(),
        lambda x: x.cuda(0),
        lambda x: x.to(mt.zeros(1, device="cuda")),
        lambda x: mt.tensor(x, device="cuda"),
        lambda x: mt.as_tensor(x, device="cuda"),
    ],
)
def test_tensors_go_to_the_device_and_come_back(cupy, move):
    x = mt.tensor([1.0, 2.0])
    there = move(x)
    assert there.is_cuda and str(there.device) == "cuda:0" and isinstance(there.array, cupy.ndarray)
    back = there.cpu()
    assert not back.is_cuda and back.tolist() == there.tolist() == [1.0, 2.0] and type(back.array) is np.ndarray
    assert back.to("cpu") is back and there.cuda() is there


def test_a_move_may_change_the_dtype_as_well(cupy):
    x = mt.tensor([1.0, 2.0]).to("cuda", mt.float64)
    assert x.is_cuda and x.dtype == mt.float64
    assert x.to(mt.zeros(1)).dtype == mt.float32 and not x.to(mt.zeros(1)).is_cuda


@pytest.mark.parametrize("name", FACTORIES)
def test_factories_make_tensors_on_the_device_asked_for(device, name):
    tensor = FACTORIES[name](device=device)
    assert tensor.device == mt.device(device) and tensor.shape[0] == 2
    assert FACTORIES[name](device=mt.device(device)).device == mt.device(device)


@pytest.mark.parametrize("name", ["zeros", "ones", "rand", "randn", "full", "linspace", "eye", "tensor", "zeros_like"])
def test_leaves_are_made_on_the_device(device, name):
    x = FACTORIES[name](device=device, requires_grad=True)
    (x * 2).sum().backward()
    assert x.is_leaf and x.grad.device == x.device


@pytest.mark.parametrize("name", [name for name in FACTORIES if name not in FROM_A_TENSOR])
def test_the_default_device_is_where_factories_put_tensors(default_cuda, name):
    assert FACTORIES[name]().is_cuda and not FACTORIES[name](device="cpu").is_cuda


@pytest.mark.parametrize("name", FROM_A_TENSOR)
def test_what_is_made_like_a_tensor_lies_where_it_lies(default_cuda, name):
    host = mt.ones(2, device="cpu")
    further = {"full_like": (3,), "randint_like": (9,), "new_full": (2, 3)}.get(name, (2,) if name.startswith("new") else ())
    made = getattr(host, name)(*further) if name.startswith("new") else getattr(mt, name)(host, *further)
    assert not made.is_cuda


def test_tensors_and_shared_arrays_stay_where_they_are(default_cuda):
    host = mt.ones(2, device="cpu")
    assert mt.get_default_device() == mt.device("cuda")
    assert not mt.tensor(host).is_cuda and not mt.as_tensor(host).is_cuda and not mt.from_numpy(np.ones(2)).is_cuda
    assert not host.nonzero().is_cuda and not (host * 2 + 1).is_cuda and not host.uniform_().is_cuda
    assert not host[[0, 1]].is_cuda and not mt.where(host > 0)[0].is_cuda and not host.softmax(0).is_cuda


def test_the_default_device_is_each_threads_own(default_cuda):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(mt.zeros(1).is_cuda))
    thread.start()
    thread.join()
    assert seen == [False]


def test_a_seed_gives_the_same_numbers_on_both_devices(cupy):
    for draw in (mt.rand, mt.randn):
        mt.manual_seed(0)
        host = draw(3, 4)
        mt.manual_seed(0)
        assert draw(3, 4, device="cuda").tolist() == host.tolist()
    drawn = []
    for device in ("cpu", "cuda"):
        mt.manual_seed(1)
        x = mt.empty(5, device=device)
        drawn.append(
            (
                x.uniform_(-1, 1).tolist(),
                x.normal_().tolist(),
                mt.randperm(9, device=device).tolist(),
                mt.randint(99, (4,), device=device).tolist(),
                mt.bernoulli(mt.full((9,), 0.5, device=device)).tolist(),
            )
        )
    assert drawn[0] == drawn[1]


def test_a_gpu_tensor_shows_where_it_lies(cupy):
    assert repr(mt.tensor([1.0], device="cuda")) == "tensor([1.], device='cuda:0')"


def test_a_gpu_tensor_is_read_by_a_copy_that_is_asked_for(cupy):
    x = mt.tensor([1.5, 2.5], device="cuda")
    for convert in (lambda: x.numpy(), lambda: np.asarray(x)):
        with pytest.raises(TypeError, match=r"numpy\(\): this tensor lies on cuda:0; call cpu\(\)\.numpy\(\)"):
            convert()
    assert x.cpu().numpy().tolist() == x.tolist() == [1.5, 2.5] and x[0].item() == float(x[0]) == 1.5 and 2.5 in x
