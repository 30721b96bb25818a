"""The benchmark's core and its page; never a time."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

import layers as nn
import minitorch
from benchmarks import cases, growth, nets, ops, overhead, parts, peers, plots, products, report, steps, summary, targets
from benchmarks.__main__ import parse
from benchmarks.minitorch_nets import SCRIPTS, training
from benchmarks.timing import Contender, Entry, Failed, interleave, ratio, spread

NOTING = """
import os

from benchmarks.timing import Work

THREADS = [os.environ[f"{library}_NUM_THREADS"] for library in ("OPENBLAS", "OMP", "MKL")]

def noting(path, letter, fails=False):
    calls = 0

    def call():
        nonlocal calls
        calls += 1
        if fails and calls > 3:
            raise ValueError("no more")
        with open(path, "a") as file:
            file.write(letter)
        return {"calls": calls}

    return Work(call, {"letter": letter, "threads": THREADS, "keeps": os.environ.get("MINITORCH_KEEP_MEMORY")})
"""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that every call of a contender made by "noting:noting" adds its letter to."""
    (tmp_path / "noting.py").write_text(NOTING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "calls"


def entry(path: Path, letter: str, **more: object) -> Entry:
    return Entry(letter.upper(), "noting:noting", {"path": str(path), "letter": letter, **more})


def test_contenders_take_turns_and_each_turn_starts_with_calls_that_are_not_counted(noted: Path) -> None:
    figures, failures = interleave([entry(noted, "a"), entry(noted, "b")], rounds=3, calls=2, warm_up=1)
    assert noted.read_text() == "aaabbb" * 3
    assert figures == {
        "A": {"calls": [2.5, 5.5, 8.5]},
        "B": {"calls": [2.5, 5.5, 8.5]},
    }  # medians of calls 2 and 3, 5 and 6 ...
    assert not failures


def test_a_contender_that_fails_is_left_out_with_its_reason_and_the_others_go_on(noted: Path) -> None:
    entries = [entry(noted, "a"), entry(noted, "b", fails=True), Entry("C", "noting:nothing")]
    figures, failures = interleave(entries, rounds=2, calls=1, warm_up=1)
    assert list(figures) == ["A"] and len(figures["A"]["calls"]) == 2
    assert failures["B"] == "ValueError: no more"
    assert failures["C"].startswith("AttributeError")


def test_what_contenders_say_of_their_work_is_checked_before_the_first_round(noted: Path) -> None:
    def check(facts: dict) -> None:
        raise Failed(f"{facts['A']['letter']} is not {facts['B']['letter']}")

    with pytest.raises(Failed, match="a is not b"):
        interleave([entry(noted, "a"), entry(noted, "b")], rounds=1, calls=1, check=check)


def test_threads_and_environment_are_set_before_the_work_is_made(noted: Path) -> None:
    one = Entry("A", "noting:noting", {"path": str(noted), "letter": "a"}, 3, {"MINITORCH_KEEP_MEMORY": "0"})
    with Contender(one) as contender:
        assert contender.facts == {"letter": "a", "threads": ["3", "3", "3"], "keeps": "0"}


def test_spread_and_ratio_are_quantiles_over_the_rounds() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.2, "high": 2.8}
    assert ratio([2.0, 8.0, 3.0], [1.0, 2.0, 1.0])["median"] == 3.0  # of 2, 4 and 3, whatever the medians' own ratio is


def test_the_exponent_of_a_power_law_is_its_power() -> None:
    sizes = [10, 30, 100, 1000]
    assert growth.exponent(sizes, [0.2 * size**1.7 for size in sizes]) == pytest.approx(1.7)


def test_nets_and_batches_are_those_of_the_examples() -> None:
    import importlib

    scripts = {number: importlib.import_module(name) for number, name in SCRIPTS.items()}
    of_reports = [f"{number} {net.name}" for number, script in scripts.items() for net in script.REPORT.nets]
    assert list(nets.NETS) == of_reports
    for name, setting in nets.NETS.items():
        script = scripts[name[:3]]
        if name.startswith("002"):
            net = next(net for net in script.NETS if net.name == name[4:])
            assert setting == (script.RECIPES[type(net.build())].batch, True)
        else:
            assert setting == (script.BATCH, name == "004 simple net")


@pytest.mark.parametrize("net", nets.NETS)
def test_every_net_takes_the_weights_that_all_frameworks_get(net: str) -> None:
    model, *_ = training(net, "cpu")
    nets.load_shared_weights(model, minitorch)
    state = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}  # a shared one by its first name
    for name, array in nets.shared_weights(state.items()).items():
        assert (model.state_dict()[name].numpy() == array).all(), name


def test_a_training_step_is_measured_with_the_losses_that_others_must_agree_on(tmp_path: Path, device: str) -> None:
    data = str(nets.save_pairs(tmp_path))
    work = steps.train("minitorch", "001 ConvNet", data, device)
    again = steps.train("minitorch", "001 ConvNet", data, "cpu")
    assert len(work.facts["losses"]) == 3 and work.facts["parameters"] > 10_000
    steps.same_work({"one": work.facts, "other": again.facts, "products": {"operations": 1}})
    for lie in ({"parameters": 1}, {"losses": [0.0, 0.0, 0.0]}, {"losses": [float("nan")] * 3}):
        with pytest.raises(Failed, match="other computes something else than one"):
            steps.same_work({"one": work.facts, "other": {**work.facts, **lie}})
    assert isinstance(work.call(), float)


def test_a_gpu_takes_all_cases_in_one_process_and_each_has_a_row_of_its_own(tmp_path: Path) -> None:
    data = str(nets.save_pairs(tmp_path))
    found = {net: {"net": net, "data": data} for net in ("001 ConvNet", "002 Linear")}
    options = report.Options(frozenset(), rounds=2)  # here on the CPU
    rows = report.measured_together("benchmarks.steps:train", found, options, "alone", steps.same_work_in_each)
    assert [(row.case, row.quantity, row.unit, row.threads, row.failures) for row in rows] == [
        (net, "alone", "ms", 1, {}) for net in found
    ]
    assert all(len(row.rounds["minitorch"]) == 2 and min(row.rounds["minitorch"]) > 0 for row in rows)
    said = {"one": {"net": {"losses": [1.0]}}, "other": {"net": {"losses": [2.0]}}}
    with pytest.raises(Failed, match="other computes something else than one"):
        steps.same_work_in_each({name: {"net": {**of["net"], "parameters": 1}} for name, of in said.items()})


def test_products_of_a_step_are_those_of_its_layers_but_for_the_gradient_of_the_data() -> None:
    model = nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))
    found = products.by_operation(model, lambda: model(minitorch.rand(10, 2, 6, 6)))
    assert found == [
        ("conv2d to (10, 4, 4, 4), forward", [(160, 9, 2)] * 2),
        ("conv2d to (10, 4, 4, 4), backward", [(9, 160, 2)] * 2),
        ("linear to (10, 5), forward", [(10, 64, 5)]),
        ("linear to (10, 5), backward", [(64, 10, 5), (10, 5, 64)]),
    ]
    assert products.operations(found[0][1]) == 2 * 160 * 9 * 2


def test_the_parts_of_a_step_are_named_as_their_products_are_and_add_up_to_the_whole(tmp_path: Path) -> None:
    here = {"net": nets.MAIN_NET, "data": str(nets.save_pairs(tmp_path))}
    with Contender(Entry("step", "benchmarks.parts:of_step", here)) as step:
        measured = {name: values[0] for name, values in step.turn(1, 0).items()}
    whole = measured.pop(parts.WHOLE)
    assert sum(measured.values()) == pytest.approx(whole) and min(measured.values()) > 0
    bounds = set(parts.of_products(**here).call()) - {parts.WHOLE}
    assert len(bounds) == 2 * 8 and bounds <= set(measured)


def small(size: int) -> int:
    return size if size < 1000 else int(str(size)[:2])


class Small(cases.Engine):
    """Sizes from 1,000 on have two digits, 4,000,000 becomes 40; layers get one or two images or rows."""

    def normal(self, *shape: int) -> minitorch.Tensor:
        return super().normal(*map(small, shape))

    def integers(self, high: int, *shape: int) -> minitorch.Tensor:
        return super().integers(small(high), *map(small, shape))

    def images(self, first: int, *shape: int) -> minitorch.Tensor:
        return super().images(min(first, 2), *shape)


@pytest.mark.parametrize("name", cases.CASES)
def test_every_case_runs_forward_and_backward(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "Engine", Small)
    ops.work("minitorch", name, device).call()


def test_a_chain_is_measured_at_every_length_in_both_directions() -> None:
    measured = overhead.chain("minitorch", [2, 3]).call()
    assert set(measured) == {"forward/2", "backward/2", "forward/3", "backward/3"}


@pytest.mark.parametrize("kind", growth.SIZES)
def test_every_size_that_grows_has_a_step(kind: str) -> None:
    growth.train("minitorch", kind, growth.SIZES[kind][0]).call()


def row(case: str, quantity: str = "time", **rounds: list[float]) -> report.Row:
    return report.Row(case, quantity, "ms", 1, {{"torch": "PyTorch"}.get(name, name): each for name, each in rounds.items()})


def test_the_page_has_a_table_with_ratios_and_says_which_targets_are_met(tmp_path: Path) -> None:
    rows = [
        row(nets.MAIN_NET, minitorch=[6.0, 6.0, 5.0], torch=[10.0, 10.0, 10.0]),
        row("002 ResNet", minitorch=[14.0, 14.0, 14.0], torch=[10.0, 10.0, 10.0]),
        report.Row("002 AlexNet", "time", "ms", 1, {"minitorch": [1.0, 1.0, 1.0]}, {"PyTorch": "RuntimeError: no"}),
    ]
    content = {
        "machine": {**peers.machine([]), "load at the end": 2, "switches": {"OPENBLAS_CORETYPE": "SkylakeX"}},
        "rounds": 3,
        "quick": False,
        "device": "cpu",
        "others": 0.8,
        "left out": {"JAX": "not there"},
    }
    report.save(tmp_path / "steps.json", content, rows)
    assert report.load(tmp_path / "steps.json") == (content, rows)
    written = summary.write(tmp_path)
    page = (tmp_path / "speed.md").read_text()
    assert f"| {nets.MAIN_NET} | 6 | 10 | 0.60 (0.52 to 0.60) |" in page
    assert "| 002 AlexNet | 1 |  |  |" in page and "Failed: 002 AlexNet: PyTorch: RuntimeError: no" in page
    assert f"| step of {nets.MAIN_NET} / PyTorch's, 1 thread each | 0.65 | 0.6 (0.52 to 0.6) | met |" in page
    assert "| step of 002 ResNet / PyTorch's, 1 thread each | 1.3 | 1.4 (1.4 to 1.4) | missed |" in page
    assert "| step of 002 AlexNet / PyTorch's, 1 thread each | 0.95 |  | not measured |" in page
    assert "Other processes used 0.8 cores on average, so the machine was not idle." in page
    assert "Left out: JAX (not there)." in page and "OPENBLAS_CORETYPE=SkylakeX" in page
    assert written == [tmp_path / "speed.md", tmp_path / "steps.png"] and all(path.exists() for path in written)


def test_the_recorded_page_is_what_the_program_writes_of_the_recorded_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Path(__file__).parent.parent / "docs/speed"
    for path in recorded.glob("*.json"):
        shutil.copy(path, tmp_path)
    drawn = {subject: [f"{name}.png"] for subject, name in plots.PLOTS if (recorded / f"{name}.png").exists()}
    monkeypatch.setattr(plots, "draw_all", lambda results, folder: drawn)
    summary.write(tmp_path)
    assert (tmp_path / "speed.md").read_text() == (recorded / "speed.md").read_text()


def test_targets_of_chains_and_growth_are_read_off_their_rows() -> None:
    chains = [row(f"chain of {length:,}", "backward", minitorch=[per, per]) for length, per in ((10_000, 1.0), (100_000, 1.1))]
    grown = [
        report.Row("b", "time", "ms", 1, {"minitorch": [size, 2 * size]}, {}, {"kind": "batch", "size": size})
        for size in (10, 100)
    ]
    measured = {one.name: one.measured for one in targets.all_targets({"overhead": chains, "growth": grown}) if one.measured}
    medians = {name: figures["median"] for name, figures in measured.items()}
    assert medians == {
        "backward of a chain of 100,000 / of 10,000": pytest.approx(11.0),
        "exponent of a step's time as a power of the batch, over all sizes; the work's exponent is 1": pytest.approx(1.0),
    }


def compared(setting: str, **ratios: float) -> list[report.Row]:
    return [row(case, setting, minitorch=[ratio, ratio], torch=[1.0, 1.0]) for case, ratio in ratios.items()]


def test_of_the_operations_with_one_limit_the_slowest_is_a_target_and_so_is_each_that_misses() -> None:
    rows = compared(ops.SAME, **{"exp 10M": 1.6, "sin 4M": 1.8, "tanh 4M": 0.5, "silu 4M": 2.9, "x**3 4M": 1.5})
    limits = {one.name: one.limit for one in targets.all_targets({"ops": rows}) if one.measured and "mean" not in one.name}
    assert list(limits) == [
        "slowest of 4 of the 71 operations, same allocator settings, 1 thread each: sin 4M",
        "also: exp 10M",
        "slowest of 1 of the 6 operations, same allocator settings, 1 thread each: silu 4M",
    ]
    assert list(limits.values()) == [1.5, 1.5, 3.0]
    assert report.geometric_mean(rows[:2], "PyTorch")["median"] == pytest.approx((1.6 * 1.8) ** 0.5)
    assert "| common operations | same allocator settings | 1 | 5 | 1.44 (1.44 to 1.44) | 3 | 1 |" in ops.summary(rows)


@pytest.mark.parametrize("ratio, added", [(0.47, 0.0), (0.84, 0.0), (0.86, 0.15), (1.1, 0.15)])
def test_where_the_products_of_pytorch_are_as_fast_nets_and_layers_of_products_may_take_longer(
    ratio: float, added: float
) -> None:
    results = {"ops": compared(ops.INSTALLED, **{targets.PRODUCT: ratio})}
    for name, limit in {"GPT toy": 0.70, "MNIST MLP": 0.60, "002 ResNet": 1.30, "conv3 3->32": 2.5, "linear (1,": 2.0}.items():
        case = next((case for case in cases.CASES if case.startswith(name)), name)
        assert targets.limit_of(case, {}) == limit and targets.limit_of(case, results) == pytest.approx(limit + added)
    assert targets.limit_of("layernorm (2048,384)", results) == 4.0 and targets.limit_of("exp 10M", results) == 1.5
    assert f"so {'0.15' if added else 'nothing'} is added to the limits" in targets.said(results)


def test_every_limit_is_that_of_a_case_or_net() -> None:
    known = [*cases.CASES, *nets.NETS, "reports' nets, 1 thread each", "reports' nets, 2 threads each"]
    for names in targets.LIMITS:
        for name in names:
            assert any(one.startswith(name) for one in known), name
    assert len(cases.TABLE) == 88 and set(ops.QUICK) <= set(cases.CASES)


def test_a_row_is_measured_for_every_quantity_in_its_unit(noted: Path, capsys: pytest.CaptureFixture) -> None:
    options = report.Options(frozenset(), rounds=2)
    (one,) = report.measured("case", [entry(noted, "a")], options, unit="calls", scale=10.0, calls=1, warm_up=0)
    assert (one.case, one.quantity, one.unit, one.rounds) == ("case", "calls", "calls", {"A": [10.0, 20.0]})
    assert "case, 1 thread: A" in capsys.readouterr().err


def test_the_command_line_refuses_subjects_that_a_gpu_does_not_have(capsys: pytest.CaptureFixture) -> None:
    assert parse([]).subjects == list(summary.SUBJECTS) and parse([]).out == Path("docs/speed")
    assert parse(["--device", "cuda", "--quick"]).out == Path("results/speed-quick/cuda")
    for wrong in (partial(parse, ["growth", "--device", "cuda"]), partial(parse, ["step"]), partial(parse, ["--rounds", "0"])):
        with pytest.raises(SystemExit):
            wrong()
    assert "expected subjects among steps, job, ops with --device cuda" in capsys.readouterr().err
