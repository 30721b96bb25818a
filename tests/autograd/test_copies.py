"""Copies by pickle, copy and joblib: leaves keep what belongs to them, shared memory stays shared, no graph comes along."""

import copy
import pickle

import numpy as np
import pytest

import layers as nn
import minitorch as mt

COPIES = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}
with_each = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


@with_each
@pytest.mark.parametrize(
    "x",
    [
        mt.tensor(3.0),
        mt.zeros(0, 3),
        mt.arange(6).view(2, 3),
        mt.arange(6.0).view(2, 3).t(),
        mt.arange(24.0).view(2, 3, 4)[:, 1:, ::2],
        mt.ones(1).expand(3),
        mt.from_numpy(np.arange(5.0)[::-1]),
        mt.from_numpy(np.ones((2, 3, 4, 5), np.float32).transpose(0, 3, 1, 2) + 1),
        mt.tensor([True, False]),
        mt.tensor([1 + 2j]),
    ],
    ids=lambda x: f"{tuple(x.shape)} {x.dtype}",
)
def test_values_dtype_shape_and_order_stay(copied, x):
    twin = copied(x)
    assert twin is not x and twin.dtype == x.dtype and twin.shape == x.shape and twin.tolist() == x.tolist()
    assert not np.shares_memory(twin.array, x.array) and twin.array.strides == x.array.strides
    assert not twin.requires_grad and twin.grad is None


@with_each
def test_a_leaf_keeps_its_gradient_and_leaves_its_hooks_behind(copied):
    x = mt.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 5)
    (x * 3).sum().backward()
    twin = copied(x)
    assert twin.is_leaf and twin.requires_grad and twin.grad.tolist() == [15.0, 15.0]
    (twin * 3).sum().backward()
    assert twin.grad.tolist() == [18.0, 18.0] and x.grad.tolist() == [15.0, 15.0]


@with_each
def test_memory_that_was_shared_is_shared(copied):
    flat = mt.zeros(2, 3)
    twins = copied(
        {"flat": flat, "part": flat[1], "turned": flat.t(), "again": flat, "data": flat.detach(), "other": mt.zeros(1)}
    )
    twins["flat"].fill_(5.0)
    assert (
        twins["part"].tolist() == [5.0] * 3 and twins["turned"].tolist() == [[5.0, 5.0]] * 3 and twins["again"] is twins["flat"]
    )
    assert twins["data"].tolist() == [[5.0] * 3] * 2 and twins["other"].tolist() == [0.0] and flat.sum().item() == 0.0


def test_a_shallow_copy_shares_the_memory_and_is_a_leaf_of_its_own():
    x = mt.ones(2, requires_grad=True)
    twin = copy.copy(x)
    assert twin is not x and np.shares_memory(twin.array, x.array) and twin.is_leaf and twin.requires_grad
    (twin * 2).sum().backward()
    assert x.grad is None and twin.grad.tolist() == [2.0, 2.0]


@with_each
def test_a_module_is_copied_whole(copied):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    twin = copied(net)
    assert twin[1].weight is twin[0].weight and isinstance(twin[0].weight, nn.Parameter)
    twin(mt.ones(1, 2)).sum().backward()
    assert twin[0].weight.grad is not None and net[0].weight.grad is None


@pytest.mark.parametrize("steps", [1, 400, 20_000])
def test_a_result_of_any_depth_is_refused_in_the_same_words(steps):
    y = mt.ones(2, requires_grad=True)
    for _ in range(steps):
        y = y + 1.0
    for refused in (*COPIES.values(), copy.copy, lambda y: pickle.dumps({"loss": [y]})):
        with pytest.raises(
            RuntimeError, match=r"copy, deepcopy, pickle: this tensor of shape \(2,\) was computed .*detach\(\)"
        ):
            refused(y)
    assert len(pickle.dumps(y.detach())) < 1000


def test_memory_that_arrives_read_only_can_be_trained():
    """Shared memory of other processes is read-only: so joblib and Ray hand over what is large."""
    array = np.ones(4, np.float32)
    array.flags.writeable = False
    data = pickle.dumps({"a": mt.from_numpy(array), "b": mt.from_numpy(array)[1:]}, protocol=5)

    class ReadOnly(pickle.Unpickler):
        def find_class(self, module, name):
            found = super().find_class(module, name)
            if name != "_memory":
                return found

            def memory(flat):
                flat.flags.writeable = False
                return found(flat)

            return memory

    import io

    twins = ReadOnly(io.BytesIO(data)).load()
    twins["a"].fill_(2.0)
    assert twins["b"].tolist() == [2.0] * 3


def train(net):
    optimizer = mt.optim.SGD(net.parameters(), lr=0.1)
    before = net.weight.detach().clone()
    net(mt.ones(1, net.in_features)).sum().backward()
    optimizer.step()
    return bool((net.weight.detach() != before).all()), net


@pytest.mark.filterwarnings("ignore")
def test_joblib_trains_modules_with_large_weights():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    net = nn.Linear(600, 600)  # 1.4 MB: above joblib's limit for shared memory
    done = joblib.Parallel(n_jobs=2, mmap_mode="r")(joblib.delayed(train)(net) for _ in range(2))
    assert [changed for changed, _ in done] == [True, True]
    returned = done[0][1]
    optimizer = mt.optim.SGD(returned.parameters(), lr=0.1)
    optimizer.step()
    assert returned.weight.array.flags.writeable
