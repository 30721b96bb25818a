"""Hooks on modules: before and after forward, and on gradients."""

import pytest

import layers as nn
import minitorch as mt

# ---- hooks ---------------------------------------------------------------------------------------------------------------


def test_hooks_run_in_order_around_forward():
    net, seen = nn.Identity(), []
    net.register_forward_hook(lambda module, args, output: seen.append(("after", args[0].item(), output.item())))
    net.register_forward_pre_hook(lambda module, args: seen.append(("before", args[0].item())))
    net.register_forward_pre_hook(lambda module, args: seen.append("first"), prepend=True)
    assert net(mt.tensor(2.0)).item() == 2
    assert seen == ["first", ("before", 2), ("after", 2, 2)]


def test_attention_uses_its_last_layer_without_a_call_as_in_pytorch():
    net, seen = nn.MultiheadAttention(4, 2), []
    net.out_proj.register_forward_hook(lambda *given: seen.append(given))
    net(*[mt.ones(3, 1, 4)] * 3)
    assert not seen


def test_hooks_can_change_arguments_and_output():
    net = nn.Identity()
    net.register_forward_pre_hook(lambda module, args: args[0] + 1)
    net.register_forward_pre_hook(lambda module, args: (args[0] * 10,))
    net.register_forward_hook(lambda module, args, output: (args[0], output))
    assert [t.item() for t in net(mt.tensor(2.0))] == [30, 30]


def test_hooks_with_keywords_see_and_change_them():
    class Scale(nn.Module):
        def forward(self, x, by=1):
            return x * by

    net, seen = Scale(), []
    net.register_forward_pre_hook(lambda module, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True)
    net.register_forward_hook(lambda module, args, kwargs, output: seen.append(kwargs), with_kwargs=True)
    assert net(mt.tensor(2.0), by=2).item() == 6
    assert seen == [{"by": 3}]


def test_a_removed_hook_is_gone_and_only_that_one():
    net, seen = nn.Identity(), []

    def hook(module, args, output):
        seen.append("called")

    first, second = net.register_forward_hook(hook), net.register_forward_hook(hook)
    first.remove()
    first.remove()
    net(mt.ones(1))
    assert seen == ["called"]
    second.remove()
    net(mt.ones(1))
    assert seen == ["called"]


def test_the_same_hook_registered_twice_is_removed_where_it_was_registered():
    net, seen = nn.Identity(), []
    hooks = [lambda module, args: seen.append("a"), lambda module, args: seen.append("b")]
    handles = [net.register_forward_pre_hook(hooks[which]) for which in (0, 1, 0)]
    handles[2].remove()
    net(mt.ones(1))
    assert seen == ["a", "b"]


def test_a_hook_may_remove_itself():
    net, seen = nn.Identity(), []

    def once(module, args):
        seen.append("called")
        handle.remove()

    handle = net.register_forward_pre_hook(once)
    net(mt.ones(1))
    net(mt.ones(1))
    assert seen == ["called"]


# ---- hooks on gradients, and small names ---------------------------------------------------------------------------------


def test_a_backward_hook_sees_both_gradients_and_may_change_one():
    seen = []
    layer = nn.Linear(3, 2)
    handle = layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append((module, inputs, outputs)))
    x = mt.ones(4, 3, requires_grad=True)
    layer(x).sum().backward()
    ((module, (grad_input,), (grad_output,)),) = seen
    assert module is layer
    assert grad_output.tolist() == [[1, 1]] * 4
    assert mt.equal(grad_input, x.grad)
    assert mt.equal(layer.weight.grad, mt.full((2, 3), 4.0))
    handle.remove()
    layer.register_backward_hook(lambda module, inputs, outputs: (inputs[0] * 0,))
    y = mt.ones(4, 3, requires_grad=True)
    layer(y).sum().backward()
    assert len(seen) == 1
    assert not y.grad.any()


def test_a_backward_hook_of_a_first_layer_has_no_gradient_of_the_input():
    seen = []
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    net[0].register_full_backward_hook(lambda *given: seen.append(given[1]))
    net(mt.ones(4, 3)).sum().backward()
    assert seen == [(None,)]


def test_a_backward_hook_is_not_called_where_a_pass_does_not_come_through_the_output():
    loss, seen, x = nn.MSELoss(), [], mt.ones(2, requires_grad=True)
    loss.register_full_backward_hook(lambda module, inputs, outputs: seen.append(outputs))
    (first,) = mt.autograd.grad(loss(x, mt.zeros(2)), x, create_graph=True)
    assert len(seen) == 1
    mt.autograd.grad(first.sum(), x)  # the input was used in the first derivative as well
    assert len(seen) == 1


def test_backward_hooks_of_a_module_whose_output_is_a_dictionary_warn_that_they_are_not_called():
    class Named(nn.Module):
        def forward(self, x):
            return {"twice": x * 2}

    net, x = Named(), mt.ones(2, requires_grad=True)
    warned = pytest.warns(UserWarning, match="Named: its backward hooks are not called; .*, got dict")
    with net.register_full_backward_hook(lambda *given: None), warned:
        net(x)
    net(x)["twice"].sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_backward_hook_gets_none_for_an_output_that_is_not_used():
    class Two(nn.Module):
        def forward(self, x):
            return x * 2, x * 3

    net, seen = Two(), []
    net.register_full_backward_hook(lambda module, inputs, outputs: seen.append([g is None for g in outputs]))
    net(mt.ones(2, requires_grad=True))[0].sum().backward()
    assert seen == [[False, True]]
