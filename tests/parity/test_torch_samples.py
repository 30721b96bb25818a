"""PyTorch's own sample inputs, error inputs, modules and optimizers, which its wheel contains, tried on minitorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's test helpers import expecttest")

import layers as nn  # noqa: E402  (after the skips)
import minitorch as mt  # noqa: E402  (likewise)
from tests.parity.differences import DIFFERENCES, known  # noqa: E402  (likewise)
from tests.parity.samples import Carrier, NotForUs, Trial, array, assert_near, functions, mapped  # noqa: E402  (likewise)

invocations = pytest.importorskip("torch.testing._internal.common_methods_invocations")
module_db = pytest.importorskip("torch.testing._internal.common_modules").module_db
invocations.wrapper_set_seed = lambda f, *args, **kwargs: f(*args, **kwargs)  # so that a draw moves the generator on
optim_db = pytest.importorskip("torch.testing._internal.common_optimizers").optim_db

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
MOST = 10  # samples of one operation and dtype: the database repeats itself, and the whole takes less than two minutes
DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)
# memory as it was found; signs and order that nobody promised; OpInfo's call is not the function's
LEFT_OUT = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "resize_", "resize_as_"}
LEFT_OUT |= {
    "svd",
    "pca_lowrank",
    "svd_lowrank",
    "polygamma",
    "normal",
    "argsort",
    "sort",
    "topk",
    "mode",
    "median",
}
LEFT_OUT |= {"where", "einsum", "nn.functional.embedding", "unique"}
OPS = [op for op in invocations.op_db if functions(op.name) and op.name not in LEFT_OUT and op.name[-1] != "_"]


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def disagreement(name: str, run: Callable[[], None]) -> str | None:
    """What is wrong with a call that PyTorch makes, unless it is documented."""
    try:
        run()
    except Exception as reason:
        message = f"{type(reason).__name__}: {reason}"
        return None if known(name, message) else message
    return None


def samples_of(op: Any, dtype: torch.dtype) -> list:
    torch.manual_seed(0)
    grad = dtype.is_floating_point and op.supports_autograd
    found = list(op.sample_inputs("cpu", dtype, requires_grad=grad))
    return found if len(found) <= MOST else [found[int(i)] for i in np.linspace(0, len(found) - 1, MOST)]


@pytest.mark.parametrize("op", OPS, ids=title)
def test_an_operation_agrees_with_pytorch_on_its_samples(op):
    wrong = []
    for dtype in (dtype for dtype in DTYPES if dtype in op.dtypes):
        for sample in samples_of(op, dtype):
            try:
                trial = Trial(op.get_op(), (sample.input, *sample.args), sample.kwargs, op.supports_gradgrad)
            except NotForUs:
                continue
            for name, call in functions(op.name).items() if trial.failed is None else ():
                message = disagreement(name, lambda trial=trial, call=call: trial.against(call))
                if message:
                    wrong.append(f"{name}{sample.summary()}: {message}")
    assert not wrong, "\n".join(wrong[:5])


@pytest.mark.parametrize("op", [op for op in OPS if op.error_inputs_func], ids=title)
def test_an_operation_refuses_what_pytorch_refuses(op):
    silent = []
    for error in op.error_inputs("cpu"):
        sample = error.sample_input
        try:
            trial = Trial(op.get_op(), (sample.input, *sample.args), sample.kwargs, False)
        except NotForUs:
            continue
        for name, call in functions(op.name).items() if trial.failed is not None else ():
            if name.startswith("Tensor.") and not isinstance(sample.input, torch.Tensor):
                continue
            inputs, parameters, _ = trial.carried()
            try:
                call(*inputs, **parameters)
            except Exception:
                continue
            if not known(name, "computes"):
                silent.append(f"{name}{sample.summary()} computes; PyTorch: {trial.failed}")
    assert not silent, "\n".join(silent[:5])


# ---- modules -------------------------------------------------------------------------------------------------------------

MODULES = [info for info in module_db if hasattr(nn, info.module_cls.__name__) and "Lazy" not in info.module_cls.__name__]


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("info", MODULES, ids=lambda info: info.module_cls.__name__)
def test_a_module_agrees_with_pytorch_on_its_samples(info, training):
    name, wrong = info.module_cls.__name__, []
    torch.manual_seed(0)
    given = {"device": "cpu", "dtype": torch.float64, "requires_grad": True, "training": training}
    for sample in info.module_inputs_func(info, **given):
        build, forward = sample.constructor_input, sample.forward_input
        theirs = info.module_cls(*build.args, **build.kwargs).double().train(training)
        state = {key: array(value).copy() for key, value in theirs.state_dict().items()}
        learned = list(theirs.parameters())
        try:
            arguments, options = mapped((tuple(build.args), build.kwargs), Carrier())
            trial = Trial(lambda _, *a, net=theirs, **k: net(*a, **k), (learned, *forward.args), forward.kwargs)
        except NotForUs:
            continue

        def run(arguments=arguments, options=options, theirs=theirs, state=state, trial=trial) -> None:
            net = getattr(nn, name)(*arguments, **options).double().train(training)
            assert list(net.state_dict()) == list(state)
            net.load_state_dict({key: mt.tensor(value) for key, value in state.items()})
            own = dict(net.named_parameters())
            instead = {id(parameter): own[path] for path, parameter in theirs.named_parameters()}
            trial.against(lambda _, *args, **kwargs: net(*args, **kwargs), instead)

        if trial.failed is None:
            message = disagreement(f"nn.{name}", run)
            if message:
                wrong.append(f"{name}{build.args}{build.kwargs}: {message}")
    assert not wrong, "\n".join(wrong[:5])


# ---- optimizers ----------------------------------------------------------------------------------------------------------

OPTIMIZERS = [info for info in optim_db if hasattr(mt.optim, info.optim_cls.__name__)]


def descent(library: Any, make: Callable, steps: int) -> list[np.ndarray]:
    """The parameters after some steps of an optimizer."""
    draw = np.random.default_rng(1).standard_normal
    x, y, w, b = (library.tensor(draw(shape)) for shape in ((8, 4), (8, 3), (4, 3), (3,)))
    learned = [w.requires_grad_(), b.requires_grad_()]
    optimizer = make(learned)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (((x @ w).tanh() + b - y) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return [array(tensor).copy() for tensor in learned]


@pytest.mark.parametrize("info", OPTIMIZERS, ids=lambda info: info.optim_cls.__name__)
def test_an_optimizer_takes_pytorchs_steps_on_its_samples(info):
    wrong, name = [], info.optim_cls.__name__
    steps = 1 if name == "LBFGS" else 10  # 20 steps of its own each, which without a line search go apart from rounding alone
    for config in info.optim_inputs_func(device="cpu"):
        try:
            expected = descent(torch, lambda ps, config=config: info.optim_cls(ps, **config.kwargs), steps)
            options = mapped(config.kwargs, Carrier())
        except (NotForUs, RuntimeError, ValueError):
            continue

        def run(options=options, expected=expected) -> None:
            found = descent(mt, lambda ps: getattr(mt.optim, name)(ps, **options), steps)
            for theirs, mine in zip(expected, found):
                assert_near(theirs, mine, "parameters", 1e-6 if name == "LBFGS" else None)

        message = disagreement(f"optim.{name}", run)
        if message:
            wrong.append(f"{name}({config.kwargs}): {message}")
    assert not wrong, "\n".join(wrong[:5])


# ---- the list of differences ---------------------------------------------------------------------------------------------


def test_every_difference_is_documented():
    page = (Path(__file__).parents[2] / "docs/differences.md").read_text(encoding="utf-8")
    for row in {difference.row for difference in DIFFERENCES}:
        assert f"| {row} |" in page, row


def test_the_database_is_the_one_that_is_meant():
    """A change of PyTorch's database must not empty these tests without a word."""
    assert len(OPS) > 200 and len(MODULES) > 40 and len(OPTIMIZERS) >= 5
    assert sum(len(samples_of(op, torch.float64)) for op in itertools.islice(OPS, 40) if torch.float64 in op.dtypes) > 100
