"""What is computed on a device: results, gradients and steps stay there."""

import pytest

import minitorch as mt


def test_forward_and_backward_stay_on_the_device(device):
    x, w = mt.ones(4, 3, device=device), mt.ones(3, 2, device=device, requires_grad=True)
    loss = mt.functional.cross_entropy(mt.tanh(x @ w), mt.zeros(4, dtype=mt.int64, device=device))
    loss.backward()
    assert loss.device == w.grad.device == mt.device(device)
    with mt.no_grad():
        w -= 0.1 * w.grad
    assert w.device == mt.device(device) and w.is_leaf


def test_nothing_is_copied_between_host_and_device_behind_ones_back(cupy):
    x, w = mt.ones(4, 3, device="cuda"), mt.ones(3, 2, device="cuda", requires_grad=True)

    def step():
        loss = (mt.tanh(x @ w + 1.0) * 0.5).mean()
        loss.backward()
        with mt.no_grad():
            w.sub_(0.1 * w.grad)
            w.grad.zero_()

    step()
    if not hasattr(cupy, "forbid_sync"):
        pytest.skip("CuPy does not count its copies; the stand-in does")
    uploads = cupy.h2d
    with cupy.forbid_sync():
        step()
    assert cupy.h2d == uploads


def test_a_gradient_crosses_from_one_device_to_the_other(cupy):
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    hidden = x.to("cuda") ** 3
    (hidden.cpu() * 2).sum().backward()
    assert x.grad.tolist() == [6.0, 24.0] and not x.grad.is_cuda and x.is_leaf
    y = mt.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    (g,) = mt.autograd.grad((y.cpu().double() ** 3).sum(), y, create_graph=True)
    (second,) = mt.autograd.grad(g.sum(), y)
    assert g.is_cuda and second.is_cuda and g.dtype == mt.float32 and second.tolist() == [6.0, 12.0]


# fmt: off
MIXED = {
    "add": lambda h, d: h + d, "mul": lambda h, d: h * d, "div": lambda h, d: d / h, "pow": lambda h, d: h**d,
    "eq": lambda h, d: h == d, "lt": lambda h, d: d < h, "matmul": lambda h, d: h.view(1, 2) @ d.view(2, 1),
    "maximum": mt.maximum, "where": lambda h, d: mt.where(h > 0, d, 0.0), "cat": lambda h, d: mt.cat([h, d]),
    "add_": lambda h, d: h.add_(d), "mul_": lambda h, d: d.mul_(h),
    "setitem": lambda h, d: h.__setitem__(slice(None), d), "setitem back": lambda h, d: d.__setitem__(slice(None), h),
    "setitem by a list": lambda h, d: d.__setitem__([0, 1], h), "an array": lambda h, d: d * h.numpy(),
    "an array first": lambda h, d: h.numpy() * d, "linear": lambda h, d: mt.functional.linear(h, d.view(1, 2)),
}
# fmt: on


@pytest.mark.parametrize("name", MIXED)
def test_mixed_devices_are_refused_and_both_are_named(cupy, name):
    host, there = mt.ones(2), mt.ones(2, device="cuda")
    with pytest.raises(RuntimeError, match=r": expected all tensors on one device, got .*; move them with \.to\(\)") as caught:
        MIXED[name](host, there)
    assert "cpu" in str(caught.value) and "cuda:0" in str(caught.value)
    assert host.tolist() == there.tolist() == [1.0, 1.0]


def test_an_index_on_the_gpu_does_not_reach_into_host_memory(cupy):
    index = mt.tensor([1], device="cuda")
    with pytest.raises(RuntimeError, match=r"getitem: a tensor on cpu is indexed by one on cuda:0; move it with \.to\(\)"):
        mt.ones(3)[index]
    assert mt.ones(3, device="cuda")[mt.tensor([1])].is_cuda  # the other way round it is uploaded, as in PyTorch


def test_an_index_out_of_range_is_refused_on_every_device(device):
    """CuPy itself would wrap it around without an error."""
    x = mt.ones(3, device=device)
    for index in (mt.tensor([3], device=device), mt.tensor([-4], device=device), [0, 5]):
        with pytest.raises(IndexError):
            x[index]
        with pytest.raises(IndexError):
            x[index] = 0.0
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_gradients_given_and_assigned_must_lie_on_the_device(cupy):
    x = mt.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match=r"expected a gradient of shape \(2,\) on cuda:0, got shape \(2,\) on cpu"):
        (x * 1).backward(mt.ones(2))
    with pytest.raises(ValueError, match=r"float32 on cuda:0; got shape .* on cpu"):
        x.grad = mt.ones(2)


def test_what_a_hook_returns_must_lie_on_the_device(cupy):
    x = mt.ones(2, device="cuda", requires_grad=True)
    x.register_hook(lambda g: g.cpu())
    with pytest.raises(RuntimeError, match=r"hook: expected None or a Tensor of shape \(2,\) on cuda:0, got one .* on cpu"):
        (x * 1).sum().backward()


def test_copy_crosses_devices(cupy):
    host, there = mt.zeros(2), mt.tensor([1.0, 2.0], device="cuda")
    host.copy_(there)
    there.copy_(mt.tensor([3.0, 4.0]))
    assert host.tolist() == [1.0, 2.0] and there.tolist() == [3.0, 4.0] and there.is_cuda and not host.is_cuda


def test_in_place_changes_are_caught_on_every_device(device):
    w, x = mt.ones(2, device=device, requires_grad=True), mt.ones(2, device=device)
    for change in (lambda: x.zero_(), lambda: x[0].fill_(2.0), lambda: x.detach().add_(1.0), lambda: x.view(2, 1).neg_()):
        loss = (w * x).sum()
        change()
        with pytest.raises(RuntimeError, match=r"mul: an array of shape .* was changed in place by"):
            loss.backward()


def test_memory_that_several_elements_share_is_not_written_on_any_device(device):
    wide = mt.zeros(1, device=device).expand(3)
    for change in (lambda: wide.add_(1.0), lambda: wide.__setitem__(0, 1.0)):
        with pytest.raises(ValueError, match="several elements share one place in memory"):
            change()


def test_second_derivatives_know_constants_on_every_device(device):
    x = mt.tensor([3.0], device=device, requires_grad=True)
    (g,) = mt.autograd.grad((x * x.detach() * x).sum(), x, create_graph=True)
    assert mt.autograd.grad(g.sum(), x)[0].tolist() == [6.0]


def test_gradients_own_their_memory_on_every_device(device):
    p, q = mt.ones(2, device=device, requires_grad=True), mt.ones(2, device=device, requires_grad=True)
    (p + q).sum().backward()
    p.grad.mul_(0.5)
    assert p.grad.tolist() == [0.5, 0.5] and q.grad.tolist() == [1.0, 1.0]


def test_users_functions_run_on_every_device(device):
    class Exp(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            assert x.device == mt.device(device)
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, g):
            (result,) = ctx.saved_tensors
            return g * result

    x = mt.zeros(2, device=device, requires_grad=True)
    (g,) = mt.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    assert mt.autograd.grad(g.sum(), x)[0].tolist() == [1.0, 1.0]
