"""`Module`: what is registered, found, copied, moved, cast and printed."""

import copy
import gc
import pickle
import weakref

import pytest

import layers as nn
import minitorch as mt
from tests.layers.nets import Net, Siamese, names

# ---- used twice ----------------------------------------------------------------------------------------------------------


def test_a_module_used_twice_is_listed_once():
    net = Siamese(nn.Linear(3, 2))
    assert names(net.named_parameters()) == ["left.weight", "left.bias"]
    assert list(net.modules()) == [net, net.left]
    assert list(net.children()) == [net.left]


def test_a_module_used_twice_has_the_sum_of_both_gradients():
    branch = nn.Linear(3, 2)
    siamese, separate = Siamese(branch), Siamese(branch)
    separate.left, separate.right = copy.deepcopy(branch), copy.deepcopy(branch)
    a, b = mt.randn(4, 3), mt.randn(4, 3)
    siamese(a, b).sum().backward()
    separate(a, b).sum().backward()
    for name in ("weight", "bias"):
        total = getattr(separate.left, name).grad + getattr(separate.right, name).grad
        assert total.any()
        assert mt.allclose(getattr(branch, name).grad, total)


def test_a_module_used_twice_is_saved_under_both_names_and_loads_again():
    net, other = Siamese(nn.Linear(3, 2)), Siamese(nn.Linear(3, 2))
    state = net.state_dict()
    assert list(state) == ["left.weight", "left.bias", "right.weight", "right.bias"]
    other.load_state_dict(state)
    assert other.left is other.right
    assert mt.equal(other.left.weight, net.left.weight)


def test_a_parameter_tied_between_two_modules_is_listed_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert names(net.named_parameters()) == ["0.weight", "0.bias", "1.bias"]
    assert names(net.named_parameters(remove_duplicate=False)) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_a_deep_copy_keeps_what_is_shared_shared_and_nothing_else():
    net = Siamese(nn.Linear(3, 2))
    net.left.weight.grad = mt.ones(2, 3)
    twin = copy.deepcopy(net)
    assert twin.left is twin.right
    assert twin.left is not net.left
    with mt.no_grad():
        twin.left.weight.zero_()
    assert net.left.weight.all()
    assert twin.left.weight.grad is None
    assert isinstance(twin.left.weight, nn.Parameter)


def test_a_module_can_be_sent_to_another_process():
    net = Siamese(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)))
    twin = pickle.loads(pickle.dumps(net))
    assert twin.left is twin.right
    for key, value in net.state_dict().items():
        assert mt.equal(value, twin.state_dict()[key])


# ---- attributes ----------------------------------------------------------------------------------------------------------


def test_parameters_are_found_in_the_order_in_which_they_were_registered():
    net = Net()
    assert names(net.named_parameters()) == ["scale", "first.weight", "first.bias", "second.weight"]
    assert names(net.named_parameters(prefix="net", recurse=False)) == ["net.scale"]
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]


def test_buffers_are_not_parameters():
    net = Net()
    assert names(net.named_buffers()) == ["seen", "scratch"]
    assert {"seen", "scratch"}.isdisjoint(names(net.named_parameters()))


def test_only_persistent_buffers_are_saved():
    assert list(Net().state_dict()) == ["scale", "seen", "first.weight", "first.bias", "second.weight"]


def test_an_unknown_attribute_raises_with_its_name():
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'frist'"):
        Net().frist  # noqa: B018  the look-up is what is tested


@pytest.mark.parametrize("layer", [lambda: nn.Linear(2, 3, biass=False), lambda: nn.Conv2d(2, 3, 3, strides=2)])
def test_a_misspelt_argument_raises(layer):
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        layer()


@pytest.mark.parametrize("value", [lambda: nn.Parameter(mt.ones(1)), nn.ReLU])
def test_registering_before_init_raises_with_the_remedy(value):
    class Hasty(nn.Module):
        def __init__(self):
            self.early = value()
            super().__init__()

    with pytest.raises(AttributeError, match=r"Hasty: 'early' is assigned before super\(\)"):
        Hasty()


def test_a_module_without_init_says_so_when_it_is_called():
    class Forgetful(nn.Module):
        def __init__(self):
            self.width = 3

        def forward(self, x):
            return x

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\) must be called"):
        Forgetful()(mt.ones(1))
    with pytest.raises(AttributeError, match=r"register_buffer 'b' is registered before super\(\)"):
        Forgetful().register_buffer("b", mt.ones(1))


def test_a_plain_tensor_is_neither_parameter_nor_buffer():
    net = Net()
    net.mask = mt.ones(3)
    assert "mask" not in names(net.named_parameters()) + names(net.named_buffers())


def test_a_plain_list_of_modules_is_not_found():
    net = Net()
    net.extra = [nn.Linear(2, 2)]
    assert len(list(net.modules())) == 3


@pytest.mark.parametrize(
    ("name", "wrong", "wanted"),
    [
        ("scale", mt.ones(1), "expected a Parameter or None as 'scale', got Tensor"),
        ("scale", 3.0, "expected a Parameter or None as 'scale', got float"),
        ("first", 3.0, "expected a Module or None as 'first', got float"),
        ("seen", 3.0, "expected a Tensor or None as 'seen', got float"),
    ],
)
def test_a_registered_name_does_not_silently_become_something_else(name, wrong, wanted):
    net = Net()
    before = list(net.state_dict())
    with pytest.raises(TypeError, match=wanted):
        setattr(net, name, wrong)
    assert list(net.state_dict()) == before


def test_a_parameter_takes_the_place_of_whatever_had_its_name():
    net = Net()
    net.plain = None
    for name in ("plain", "seen", "scratch", "first"):
        setattr(net, name, nn.Parameter(mt.ones(1)))
    assert names(net.named_parameters()) == ["scale", "plain", "seen", "scratch", "first", "second.weight"]
    assert names(net.named_buffers()) == []
    assert "scratch" in net.state_dict()


def test_a_module_takes_the_place_of_a_parameter():
    net = Net()
    net.scale = nn.Identity()
    assert names(net.named_children()) == ["first", "second", "scale"]
    assert "scale" not in names(net.named_parameters())


def test_none_switches_a_parameter_module_or_buffer_off():
    net = Net()
    net.scale = net.first = net.seen = None
    assert net.scale is net.first is net.seen is None
    assert list(net.state_dict()) == ["second.weight"]
    assert len(list(net.modules())) == 2


def test_an_assigned_buffer_stays_a_buffer_of_its_sort():
    net = Net()
    net.seen, net.scratch = mt.ones(()), mt.ones(2)
    assert names(net.named_buffers()) == ["seen", "scratch"]
    assert "scratch" not in net.state_dict()


def test_a_buffer_registered_again_as_persistent_is_saved():
    net = Net()
    net.register_buffer("scratch", mt.ones(2))
    assert "scratch" in net.state_dict()


def test_deleting_takes_parameters_buffers_and_modules_out():
    net = Net()
    net.note = "x"
    del net.scale, net.scratch, net.first, net.note
    assert list(net.state_dict()) == ["seen", "second.weight"]
    with pytest.raises(AttributeError, match="scale"):
        del net.scale


@pytest.mark.parametrize("register", ["register_parameter", "register_buffer", "add_module", "register_module"])
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("", KeyError, "must not be empty"),
        ("a.b", KeyError, "contain '.', got 'a.b'"),
        ("forward", KeyError, "has an attribute 'forward' already"),
        (3, TypeError, "expected a name, got int"),
    ],
)
def test_a_name_that_cannot_be_a_path_is_refused(register, name, error, message):
    with pytest.raises(error, match=message):
        getattr(Net(), register)(name, None)


def test_a_parameter_must_be_a_leaf():
    computed = nn.Parameter(mt.ones(2))
    computed._node = (computed * 2).node
    with pytest.raises(ValueError, match="'computed' was computed by an operation"):
        Net().register_parameter("computed", computed)


def test_completion_offers_what_is_registered():
    assert {"scale", "seen", "first", "forward", "training"} <= set(dir(Net()))


def test_paths_lead_to_modules_parameters_and_buffers():
    net = nn.Sequential(Net())
    assert net.get_submodule("0.first") is net[0].first
    assert net.get_submodule("") is net
    assert net.get_parameter("0.first.weight") is net[0].first.weight
    assert net.get_buffer("0.seen") is net[0].seen


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("get_submodule", "0.frist.x", "Net has no module 'frist'"),
        ("get_parameter", "0.first.wieght", "Linear has no parameter 'wieght'"),
        ("get_parameter", "0.second.bias", "Linear has no parameter 'bias'"),
        ("get_buffer", "0.scale", "Net has no buffer 'scale'"),
    ],
)
def test_a_path_that_leads_nowhere_names_the_missing_part(method, path, message):
    with pytest.raises(AttributeError, match=message):
        getattr(nn.Sequential(Net()), method)(path)


# ---- Parameter -----------------------------------------------------------------------------------------------------------


def test_a_parameter_shares_the_memory_it_is_given():
    data = mt.zeros(3)
    parameter = nn.Parameter(data)
    data.fill_(2)
    assert parameter.tolist() == [2, 2, 2]
    assert parameter.requires_grad
    assert not nn.Parameter(data, requires_grad=False).requires_grad


def test_a_parameter_of_numbers_has_the_default_dtype():
    assert nn.Parameter([1.0, 2.0]).dtype == mt.float32


def test_a_parameter_of_whole_numbers_is_refused():
    with pytest.raises(TypeError, match="only floating-point tensors have gradients, this one is int64"):
        nn.Parameter(mt.tensor([1, 2]))


def test_what_is_computed_from_a_parameter_is_no_parameter():
    assert type(nn.Parameter(mt.ones(2)) * 2) is mt.Tensor


def test_a_parameter_says_what_it_is():
    assert repr(nn.Parameter(mt.ones(1))) == "Parameter containing:\ntensor([1.], requires_grad=True)"


# ---- modes, gradients, dtypes and devices --------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module_and_return_the_net():
    net = nn.Sequential(Net(), nn.ModuleList([nn.Dropout()]))
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train() is net
    assert all(module.training for module in net.modules())


def test_a_module_that_overrides_train_is_asked_wherever_it_stands():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(nn.Sequential(Frozen(2), nn.Dropout()))
    net.train()
    assert [module.training for module in net.modules()] == [True, True, False, True]


def test_train_takes_nothing_but_a_bool():
    with pytest.raises(ValueError, match="expected True or False, got 'no'"):
        Net().train("no")


def test_apply_visits_children_before_parents():
    net, seen = Net(), []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "Linear", "Net"]


def test_frozen_parameters_get_no_gradient():
    net = Net()
    net.first.requires_grad_(False)
    net(mt.randn(2, 3)).sum().backward()
    assert net.first.weight.grad is None
    assert net.second.weight.grad is not None
    assert all(p.requires_grad for p in net.requires_grad_().parameters())


def test_zero_grad_forgets_gradients_or_sets_them_to_zero():
    net = Net()
    net(mt.ones(2, 3)).sum().backward()
    kept = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad is kept
    assert not any(p.grad.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.zero_grad(set_to_none=False)  # nothing to set


def test_a_cast_keeps_the_parameters_and_reaches_gradients_and_floating_buffers():
    net = Net()
    net(mt.ones(2, 3)).sum().backward()
    before = list(net.parameters()) + list(net.buffers())
    assert net.double() is net
    assert all(new is old for new, old in zip([*net.parameters(), *net.buffers()], before))
    assert {p.dtype for p in net.parameters()} == {p.grad.dtype for p in net.parameters()} == {mt.float64}
    assert (net.seen.dtype, net.scratch.dtype) == (mt.int64, mt.float64)
    assert net(mt.ones(2, 3, dtype=mt.float64)).dtype == mt.float64


@pytest.mark.parametrize(
    ("cast", "dtype"),
    [
        (lambda net: net.float(), mt.float32),
        (lambda net: net.double(), mt.float64),
        (lambda net: net.half(), mt.float16),
        (lambda net: net.to(mt.float64), mt.float64),
        (lambda net: net.to(dtype=mt.float64), mt.float64),
        (lambda net: net.to("cpu", mt.float64), mt.float64),
        (lambda net: net.to(mt.zeros(1, dtype=mt.float64)), mt.float64),
        (lambda net: net.to("cpu"), mt.float32),
        (lambda net: net.cpu(), mt.float32),
    ],
)
def test_every_form_of_a_cast(cast, dtype):
    net = cast(Net())
    assert {p.dtype for p in net.parameters()} == {dtype}
    assert net.seen.dtype == mt.int64


def test_large_whole_numbers_survive_a_cast():
    net = Net()
    net.seen.fill_(2**53 + 1)
    assert net.half().double().seen.item() == 2**53 + 1


def test_type_casts_whole_numbers_too():
    assert Net().type(mt.float64).seen.dtype == mt.float64


@pytest.mark.parametrize("dtype", [mt.int64, mt.bool])
def test_a_cast_to_whole_numbers_is_refused(dtype):
    net = Net()
    with pytest.raises(TypeError, match=f"floating dtypes only, got {dtype}"):
        net.to(dtype)
    assert net.scale.dtype == mt.float32


def test_moving_to_where_it_is_disturbs_no_graph():
    net = Net()
    loss = net(mt.randn(2, 3)).sum()
    net.to("cpu").float()
    loss.backward()
    assert net.second.weight.grad is not None


def test_a_cast_between_forward_and_backward_is_caught():
    net = Net()
    loss = net(mt.randn(2, 3)).sum()
    net.double()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.skipif(mt.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("move", [lambda net: net.cuda(), lambda net: net.to("cuda")])
def test_without_a_gpu_moving_there_says_why_and_changes_nothing(move):
    net = Net()
    with pytest.raises(RuntimeError, match="device 'cuda' cannot be used"):
        move(net)
    assert {p.device.type for p in net.parameters()} == {"cpu"}


def test_dropping_a_net_frees_it_without_the_garbage_collector():
    net = Net()
    loss = net(mt.randn(2, 3)).sum()
    loss.backward()
    array, module = weakref.ref(net.first.weight.array), weakref.ref(net)
    gc.disable()
    try:
        del net, loss
        assert array() is None
        assert module() is None
    finally:
        gc.enable()


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="ModuleList: forward is not written"):
        nn.ModuleList()(mt.ones(1))


# ---- repr ----------------------------------------------------------------------------------------------------------------


def test_the_repr_shows_the_tree():
    net = Net()
    net.blocks = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Tanh())])
    net.empty = nn.Sequential()
    assert repr(net) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (second): Linear(in_features=4, out_features=2, bias=False)\n"
        "  (blocks): ModuleList(\n"
        "    (0-1): 2 x ReLU()\n"
        "    (2): Sequential(\n"
        "      (0): Tanh()\n"
        "    )\n"
        "  )\n"
        "  (empty): Sequential()\n"
        ")"
    )


def test_extra_repr_comes_before_the_children():
    class Noted(nn.Module):
        def __init__(self, *children):
            super().__init__()
            for i, child in enumerate(children):
                self.add_module(f"part{i}", child)

        def extra_repr(self):
            return "a=1\nb=2" if self._modules else "a=1"

    assert repr(Noted()) == "Noted(a=1)"
    assert repr(Noted(nn.ReLU())) == "Noted(\n  a=1\n  b=2\n  (part0): ReLU()\n)"
