"""Containers of modules and of parameters, layers that take their sizes from the first input, and one device."""

from collections import OrderedDict

import pytest

import layers as nn
import minitorch as mt
from tests.layers.nets import names

# ---- containers ----------------------------------------------------------------------------------------------------------


def layers_of(count):
    return [nn.Linear(2, 2) for _ in range(count)]


def test_sequential_runs_its_modules_one_after_another():
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    x = mt.randn(5, 3)
    assert mt.equal(nn.Sequential(first, nn.Tanh(), second)(x), second(first(x).tanh()))


def test_sequential_takes_names():
    net = nn.Sequential(OrderedDict(first=nn.Linear(3, 4), second=nn.ReLU()))
    assert list(net.state_dict()) == ["first.weight", "first.bias"]
    assert net.second is net[1]


def test_sequential_refuses_what_is_no_module():
    with pytest.raises(TypeError, match="expected a Module or None as '1', got builtin_function_or_method"):
        nn.Sequential(nn.Linear(2, 2), abs)


@pytest.mark.parametrize("container", [lambda modules: nn.Sequential(*modules), nn.ModuleList])
def test_a_numbered_container_is_a_list(container):
    a, b, c, d, e = layers_of(5)
    net = container([a, b, c])
    assert list(net) == [a, b, c]
    assert len(net) == 3
    assert net[0] is net[-3] is a
    assert type(net[1:]) is type(net)
    assert list(net[1:]) == [b, c]
    assert net.append(d) is net
    assert net.extend([e]) is net
    net[1] = nn.ReLU()
    del net[2]
    net.insert(1, c)
    del net[-1:]
    assert [type(module).__name__ for module in net] == ["Linear", "Linear", "ReLU", "Linear"]
    assert list(net)[:2] == [a, c]
    assert names(net.named_children()) == ["0", "1", "2", "3"]
    with pytest.raises(IndexError, match=r"cannot insert at -5 in 4"):
        net.insert(-5, e)


def test_what_is_left_after_a_deletion_is_numbered_anew():
    net = nn.ModuleList(layers_of(3))
    last = net[2]
    del net[0]
    net.append(nn.ReLU())  # takes the place of nothing
    assert names(net.named_children()) == ["0", "1", "2"]
    assert net[1] is last


@pytest.mark.parametrize("container", [nn.Sequential(*layers_of(2)), nn.ModuleList(layers_of(2))])
@pytest.mark.parametrize("position", [2, -3])
def test_a_position_outside_a_container_raises_with_both_numbers(container, position):
    with pytest.raises(IndexError, match=f"position {position} is outside a length of 2"):
        container[position]


def test_a_slice_holds_the_modules_themselves():
    net = nn.Sequential(*layers_of(3))
    assert names(net[1:].named_parameters()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert net[1:][0] is net[1]


def test_module_dict_is_a_dict():
    a, b = layers_of(2)
    net = nn.ModuleDict({"a": a})
    net["b"] = b
    net.update([("c", nn.ReLU())])
    assert list(net) == list(net.keys()) == ["a", "b", "c"]
    assert "a" in net
    assert len(net) == 3
    assert list(net.values())[:2] == [a, b]
    assert dict(net.items())["a"] is net["a"] is a
    assert net.pop("a") is a
    del net["c"]
    assert names(net.named_children()) == ["b"]
    with pytest.raises(KeyError, match="a"):
        net["a"]


def test_parameters_in_a_list_or_a_dict_are_those_of_the_net():
    a, b = nn.Parameter(mt.ones(2, 3)), mt.zeros(2)
    several = nn.ParameterList([a])
    several += [b]
    assert several[0] is a and isinstance(several[-1], nn.Parameter) and len(several[1:]) == 1
    assert [name for name, _ in several.named_parameters()] == list(several.state_dict()) == ["0", "1"]
    line = "({}): Parameter containing: [torch.float32 of size {}]".format
    assert repr(several) == f"ParameterList(\n    {line(0, '2x3')}\n    {line(1, 2)}\n)"
    named = nn.ParameterDict({"w": a})
    named["b"] = b
    assert list(named) == ["w", "b"] and named.pop("w") is a and repr(named) == f"ParameterDict(  {line('b', 2)})"
    net = nn.ModuleList([several, named])
    assert [name for name, _ in net.named_parameters()] == ["0.0", "0.1", "1.b"]
    several.append(None)
    assert len(several) == 3 and len(list(several.parameters())) == 2 and repr(several).endswith(f"{line(1, 2)}\n)")
    with pytest.raises(TypeError, match=r"^register_parameter: expected a Parameter or None as '3', got Linear"):
        several.append(nn.Linear(1, 1))


# ---- lazy layers, one device ---------------------------------------------------------------------------------------------


LAZY = {
    nn.LazyLinear: ((3,), nn.Linear, (2, 5)),
    nn.LazyConv1d: ((4, 3), nn.Conv1d, (2, 5, 7)),
    nn.LazyConv2d: ((4, 3), nn.Conv2d, (2, 5, 7, 7)),
    nn.LazyBatchNorm1d: ((), nn.BatchNorm1d, (4, 5)),
    nn.LazyBatchNorm2d: ((), nn.BatchNorm2d, (4, 5, 3, 3)),
}


@pytest.mark.parametrize("lazy", LAZY)
def test_a_lazy_layer_becomes_the_ordinary_one_at_the_first_call(lazy):
    arguments, kind, shape = LAZY[lazy]
    layer = lazy(*arguments).double()
    parameters = list(layer.parameters())
    mt.manual_seed(3)
    x = mt.randn(*shape, dtype=mt.float64)
    output = layer(x)
    assert type(layer) is kind
    assert all(new is old for new, old in zip(layer.parameters(), parameters, strict=True))
    plain = kind(5, *arguments).double()
    plain.load_state_dict(layer.state_dict())
    if "BatchNorm" not in kind.__name__:
        assert mt.equal(plain(x), output)
    assert layer.weight.detach().abs().sum() > 0
    assert repr(layer) == repr(plain)


def test_a_lazy_layer_refuses_channels_that_its_groups_do_not_divide():
    with pytest.raises(ValueError, match="LazyConv2d: 2 groups do not divide 3 channels"):
        nn.LazyConv2d(4, 3, groups=2)(mt.zeros(1, 3, 5, 5))


def test_data_parallel_is_its_module():
    net = nn.Linear(3, 2)
    around = nn.DataParallel(net)
    x = mt.randn(4, 3)
    assert mt.equal(around(x), net(x))
    assert list(around.state_dict()) == ["module.weight", "module.bias"]
