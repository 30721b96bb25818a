"""The explorer records what the pass computed and changes nothing, its page says so in numbers that add up, and what is refused."""

import contextlib
import functools
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import layers as nn
import minitorch as torch
from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.watch import Watch
from minitorch.explorer import explore, page_of
from minitorch.explorer.data import lanes, layered, page_data
from minitorch.explorer.proof import CENTRAL, COMPLEX, UNKNOWN, WRONG
from minitorch.explorer.recorder import Recorder, host
from minitorch.explorer.words import norm
from minitorch.ops.elementwise import Exp
from tests.explore.nets import NETS, broadcast, create_graph, leaf, mlp, no_backward, recurrent, siamese, two_passes
from tests.op_table import ROWS
from tests.op_table.row import is_differentiated


class Recording(Switch):
    """A block in which a recorder watches, for a look at what it remembers."""

    def __init__(self):
        self.terms = {}
        self.recorder = Recorder(None, self.terms)
        super().__init__(self.recorder, "watch")

    def __enter__(self):
        self.recorder.outermost = sys._getframe(1)
        super().__enter__()

    @property
    def passes(self):
        return [list(run.steps.values()) for run in self.recorder.passes]


class Counting(Watch):
    """Counts the rules of operations that the engine runs."""

    rules = 0

    def rule(self, node, rule, incoming):
        self.rules += hasattr(node, "apply")
        return rule.backward(*incoming)


@functools.cache
def recorded(net):
    block = Recording()
    block.returned = net(block)
    return block


@functools.cache
def written(net):
    block = explore(os.devnull)
    net(block)
    return block.page


def page(net):
    return data_of(written(net))


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])


def texts(piece):
    """All text of a piece of the page."""
    return piece if isinstance(piece, str) else "".join(map(texts, piece[1:])) if isinstance(piece, list) else ""


def same_bits(a, b):
    return (a is None and b is None) or (a.dtype == b.dtype and host(a).tobytes() == host(b).tobytes())


# ---- what is recorded ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", NETS)
def test_the_block_changes_no_bit(net):
    without, within = net(contextlib.nullcontext()), net(explore(os.devnull))
    assert without.keys() == within.keys()
    assert [name for name in without if not same_bits(without[name], within[name])] == []


@pytest.mark.parametrize("net", NETS)
def test_steps_are_the_rules_that_ran_and_what_is_a_sum_adds_up(net):
    counting = Counting()
    net(Switch(counting, "watch"))
    block = recorded(net)
    assert sum(map(len, block.passes)) == block.recorder.count == counting.rules
    close = functools.partial(np.testing.assert_allclose, rtol=0, atol=1e-12)
    for run in block.recorder.passes:
        for target in run.targets.values():
            left = 0 if target.before is None else target.before
            held = target.totals[-1] + left if target.after is None else target.after
            close(sum(a.grad for a in target.arrivals) + left, held)
            for arrival in target.arrivals:
                close(sum(arrival.terms), arrival.grad)
        for step in run.steps.values():
            for g, parts in zip(step.incoming, step.parts):
                close(sum(part.grad for part in parts), g)


@pytest.mark.parametrize("net", NETS)
def test_every_rule_is_proved_or_says_why_not(net):
    for way, error, note in (step.proof for steps in recorded(net).passes for step in steps):
        assert way != WRONG
        assert error <= 1e-12 if way == COMPLEX else note


def test_the_siamese_net_is_proved_split_and_named():
    (run,), (steps,) = recorded(siamese).recorder.passes, recorded(siamese).passes
    assert (len(steps), len(run.targets), sum(len(target.arrivals) for target in run.targets.values())) == (51, 24, 38)
    assert {step.proof.way for step in steps} == {COMPLEX}
    assert [term[:2] for term in run.terms] == [("comparison", 1), ("first digit", 0.75), ("second digit", 0.75)]
    convolutions = [step for step in steps if step.node.title == "conv2d"]
    assert [step.where for step in convolutions] == ["digit.3", "digit.0", "digit.3", "digit.0"]
    assert [step.group for step in convolutions] == [("digit", 2), ("digit", 2), ("digit", 1), ("digit", 1)]
    said = [texts(line) for line in convolutions[0].lines]
    assert [line.partition(":")[0] for line in said[::2]] == ["nets.py", "weight_sharing.py", "weight_sharing.py"]
    assert said[-1] == "first, second = self.digit(pairs[:, :1]), self.digit(pairs[:, 1:])"
    assert convolutions[0].source == "self.digit(pairs[:, 1:])" or sys.version_info < (3, 11)


def test_terms_without_a_name_are_called_by_their_variable_or_their_source_and_what_is_none_is_told():
    x, block = leaf([1.0, 2.0]), Recording()
    with block:
        fit = (x * x).sum()
        (fit - 0.1 * x.abs().sum()).backward()
        block.terms["part"] = x.square().sum()
        with pytest.raises(ValueError, match="is not a sum in which 'part' is a term"):
            block.terms["part"].exp().backward()
    (first, second) = block.recorder.passes[0].terms
    assert first[:2] == ("fit", 1)
    assert second[:2] == ("x.abs().sum()", -0.1) or sys.version_info < (3, 11)


def test_a_module_called_in_a_loop_has_as_many_uses_and_what_a_rule_recorded_names_it():
    net, block, x = nn.Sequential(nn.Linear(3, 3), nn.Tanh()), Recording(), torch.zeros(1, 3)
    with block:
        for _ in range(3):
            x = net(x)
        x.sum().backward()
    assert [step.group for step in block.passes[0]] == [None, *(("net", use) for use in (3, 3, 2, 2, 1, 1))]
    assert {step.made_by and step.made_by.node.title for step in recorded(create_graph).passes[1]} >= {None, "tanh", "mul"}


def test_a_second_pass_knows_what_the_first_left():
    first, second = ({t.name: t for t in run.targets.values()} for run in recorded(two_passes).recorder.passes)
    assert first.keys() == second.keys()
    assert all(target.before is None for target in first.values())
    for name, target in second.items():
        np.testing.assert_array_equal(target.before, first[name].after)
        np.testing.assert_allclose(target.after, 2 * target.before, rtol=1e-14)


def test_a_leaf_without_a_name_has_the_same_number_in_every_pass():
    xs, block = [leaf([1.0]), leaf([2.0])], Recording()
    with block:
        (xs[0] * xs[1]).sum().backward()
        (xs[1] * 2).sum().backward()
    first, second = ({t.name: t for t in run.targets.values()} for run in block.recorder.passes)
    assert list(first) == ["leaf 1", "leaf 2"]
    assert second["leaf 2"].after.tolist() == [3.0]


def test_gradients_for_some_inputs_alone_are_added_to_their_grad():
    x, y, block = leaf([1.0, 2.0]), leaf([3.0, 4.0]), Recording()
    with block:
        (x * y).sum().backward(inputs=[x])
    (target,) = block.recorder.passes[0].targets.values()
    assert (target.title, target.after.tolist(), y.grad) == ("x.grad", [3, 4], None)


def test_arrays_changed_after_the_pass_are_shown_as_they_were():
    x, block = leaf([1.0, 2.0]), Recording()
    with block:
        (x * x).sum().backward()
        with torch.no_grad():
            x.fill_(7)
            x.grad.fill_(7)
    (target,) = block.recorder.passes[0].targets.values()
    assert target.after.tolist() == [2, 4]
    assert block.passes[0][1].inputs[0].tolist() == [1, 2]


def test_a_pass_that_gives_up_leaves_the_next_alone():
    x, block = leaf([1.0, 2.0]), Recording()
    with block:
        loss = (x * x).sum()
        loss.backward()
        with pytest.raises(RuntimeError):
            loss.backward()
        x.square().sum().backward()
    assert list(map(len, block.passes)) == [2, 2]


class Odd(torch.autograd.Function):
    """The square, whose rule runs passes of its own."""

    @staticmethod
    def forward(ctx, a, scale):
        ctx.save_for_backward(a)
        ctx.scale = scale
        return a * a * scale

    @staticmethod
    def backward(ctx, g):
        (a,) = ctx.saved_tensors
        with torch.enable_grad():
            own, other = a.clone().requires_grad_(), torch.ones(1, requires_grad=True)
            assert torch.autograd.grad(other.sum(), own, allow_unused=True) == (None,)
            (slope,) = torch.autograd.grad((own * own).sum(), own)
        return g * slope * ctx.scale, None


def test_a_rule_may_run_a_pass_of_its_own():
    x, block = leaf([1.0, 2.0]), Recording()
    with block:
        Odd.apply(x * 3, 2.0).sum().backward()
    assert x.grad.tolist() == [36, 72]
    assert list(map(len, block.passes)) == [2, 3]


# ---- proofs --------------------------------------------------------------------------------------------------------------


class Wrong(Exp):
    """e^a.  da = g e^a."""

    def backward(ctx, g):
        return 2 * super().backward(g)


@pytest.mark.parametrize(
    "function, values, way, note",
    [
        (torch.abs, [1.5, -2.5], CENTRAL, "abs is not analytic"),
        (torch.abs, [0.0, 1.0], UNKNOWN, "kink"),
        (Wrong.apply, [0.5, 1.0], WRONG, "something else"),
        (lambda x: Odd.apply(x, 2.0), [0.5, -1.0], COMPLEX, ""),
        (lambda x: torch.exp(x.float()), [0.5, -1.0], COMPLEX, "in float64; the pass rounds to 1.19209e-07"),
        (torch.Tensor.float, [0.5, -1.0], UNKNOWN, "it rounds to float32"),
        (lambda x: (x.float() * 1).relu_(), [0.5, -1.0], CENTRAL, "in_place is not analytic; in float64"),
        (torch.sqrt, [0.0, 4.0], UNKNOWN, "not finite"),
    ],
)
def test_a_proof_says_how(function, values, way, note):
    block = Recording()
    with block:
        function(leaf(values)).sum().backward()
    proof = block.passes[-1][1].proof
    assert proof.way == way, proof
    assert note in proof.note
    assert proof.error is None or way == WRONG or proof.error <= {COMPLEX: 1e-12, CENTRAL: 1e-6}[way]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_operation_is_shown_and_none_is_accused(row):
    for case in [case for case in row.cases if any(map(is_differentiated, row.inputs(case)))][:2]:
        grads, block = [], Recording()
        for within in (contextlib.nullcontext(), block):
            torch.manual_seed(0)
            inputs = row.inputs(case)
            with within:
                for out in [out for out in row(case, inputs) if out.requires_grad]:
                    out.backward(torch.ones_like(out) * 0.5, retain_graph=True)
            grads.append([value.grad for value in inputs if is_differentiated(value)])
        assert all(map(same_bits, *grads)), case
        for step in (step for steps in block.passes for step in steps):
            assert step.proof.way != WRONG, (case, step.node.title, step.proof)
            assert step.proof.way == COMPLEX or step.proof.note, (case, step.node.title)
        if any(block.passes):
            page_of(page_data(block.recorder, row.name))


# ---- what is refused -----------------------------------------------------------------------------------------------------


def test_too_many_rules_are_refused_and_nothing_is_written(tmp_path):
    x = torch.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"1,501 rules ran in the block.*1,500"), explore(tmp_path / "tape.html"):
        functools.reduce(lambda y, _: y * 1.0, range(1500), x).sum().backward()
    assert list(tmp_path.iterdir()) == []
    assert x.grad.item() == 1


def test_a_block_without_a_tape_or_with_an_error_writes_nothing_and_leaves_the_mode(tmp_path):
    with pytest.raises(RuntimeError, match="no tape to show"), explore(tmp_path / "tape.html"):
        torch.ones(2).sum()
    with pytest.raises(KeyError), explore(tmp_path / "tape.html"):
        raise KeyError
    tape, anomaly = functools.partial(explore, tmp_path / "tape.html"), torch.autograd.detect_anomaly
    for outer, inner in (tape, anomaly), (anomaly, tape), (tape, tape):
        with pytest.raises(RuntimeError, match="watched by"), outer(), inner():
            pass
    assert list(tmp_path.iterdir()) == []
    mlp(explore(tmp_path / "again.html"))


def test_importing_minitorch_does_not_import_the_explorer():
    program = "import sys, minitorch; assert not any('explorer' in name for name in sys.modules); minitorch.explore"
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- the page ------------------------------------------------------------------------------------------------------------


def test_no_lane_holds_two_gradients_at_once():
    assert lanes([[1], [2], [3, 4], [4], []]) == ([0, 0, 0, 1, 0], [(0, 1, 0), (1, 2, 0), (2, 4, 0), (2, 3, 1), (3, 4, 0)])
    generator = np.random.default_rng(0)
    for n in generator.integers(2, 30, size=200).tolist():
        sources = [sorted({int(v) for v in generator.integers(i + 1, n, size=2)}) if i < n - 1 else [] for i in range(n)]
        places, edges = lanes(sources)
        assert {(u, v) for u, v, _ in edges} == {(u, v) for u, targets in enumerate(sources) for v in targets}
        for row in range(n):
            under_way = {}
            for u, v, lane in edges:
                if u < row < v:
                    assert under_way.setdefault(lane, v) == v, "two gradients in one lane lead to different rows"
            assert places[row] not in under_way


def test_the_map_has_a_layer_for_each_step_away_from_the_loss():
    drawn = layered(["a", "<b>", "c", "d"], [{1, 3}, {2}, {3}, set()])
    assert drawn.count("<path") == 4
    assert [int(y) for y in re.findall(r'<rect [^>]*y="(\d+)"', drawn)] == [16, 80, 144, 208]
    assert "&lt;b&gt;" in drawn


@pytest.mark.parametrize("net", NETS)
def test_a_page_is_valid_without_markup_and_asks_one_question_a_step(net):
    text = written(net)
    assert "<" not in re.search(r'id="data">(.*?)</script>', text, re.S)[1]
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    for row in (row for run in page(net)["passes"] for row in run["rows"]):
        q = row["q"] or {"options": "ab", "right": 0, "why": net is no_backward}
        assert row["card"]
        assert 2 <= len(set(q["options"])) == len(q["options"]) <= 4
        assert 0 <= q["right"] < len(q["options"])
        assert q["why"]


def test_six_kinds_of_question_are_asked():
    kinds = {row["q"]["kind"] for net in (siamese, broadcast, recurrent) for run in page(net)["passes"] for row in run["rows"]}
    assert kinds == {"next", "shape", "count", "axes", "add", "sign"}


def test_sizes_and_what_is_printed(tmp_path, capsys):
    block, path = explore(tmp_path / "tape.html"), tmp_path / "tape.html"
    siamese(block, torch.float32)
    whole, data = (len(text.encode()) for text in (block.page, re.search(r'id="data">(.*?)</script>', block.page, re.S)[1]))
    assert capsys.readouterr().out == f"{path}: 51 nodes, {whole:,} bytes\n"
    assert whole == path.stat().st_size <= 400_000
    assert whole - data <= 16_000
    assert block._repr_html_().startswith("<iframe")
    assert block._repr_html_().count("<") == 2


@pytest.mark.parametrize(
    "net, run, where, expected",
    [
        (mlp, 0, ("rows", 1, "card"), ["y", "(6, 3)", "dx = g w", "dw = gT x", "2.weight.grad", "first of 1: stored", "complex step"]),
        (broadcast, 0, ("rows", 2, "card"), ["(4, 3) does not fit b (3), so it is summed over axis 0: (4, 3) → (3), size 5.38516", "g itself, (4, 3)size 3", "1 + 1 + 1 + 0 = 3"]),
        (siamese, 0, ("leaves", 22, "cards", 1), ["One weight, used twice: its gradient is a sum", "the same 288 numbers of digit.0.weight"]),
        (siamese, 0, ("leaves", 22, "cards", 1), ["digit, second use, step 34", "share of the sum", "cosine", "comparison"]),
        (two_passes, 1, ("leaves", 0, "cards", -1), [".grad was not empty: backward adds to it"]),
        (no_backward, 0, ("foot",), ["No backward has run"]),
    ],
)  # fmt: skip
def test_what_the_page_tells(net, run, where, expected):
    piece = page(net)["passes"][run]
    for key in where:
        piece = piece[key]
    for text in expected:
        assert text in texts(["div", *piece]), text


def test_what_is_left_out_is_told():
    def deep(x, calls):
        return deep(x, calls - 1) if calls else x @ torch.ones(3, 4000, dtype=torch.float64)

    xs, v, w = [leaf([[float(k), 1.0, 2.0]]) for k in range(6)], leaf([1.0, 2.0, 3.0, 4.0]), leaf([[1.0, 2.0], [3.0, -1.0]])
    with explore(os.devnull) as block:
        loss = deep(torch.cat(xs), 4).sum() + (v.sin() + v.exp()).sum()
        sum(((w * k).sin().sum() for k in range(1, 11)), loss).backward()
    (run,) = data_of(block.page)["passes"]
    rows = {row["op"]: texts(["div", *row["cells"], *row["card"]]) for row in run["rows"]}
    assert "a1a2a3+3 more" in rows["cat"]
    assert "+3 morefurther out" in rows["matmul"]
    assert "2,048 of 24,000 numbers drawn" in rows["matmul"]
    assert "No gradient was asked for: b" in rows["matmul"]
    cards = {leaf["name"]: texts(["div", *leaf["cards"]]) for leaf in run["leaves"]}
    assert "the 4 before these42.9205Contribution 5" in cards["w"]
    assert "Cosines are given with the first four terms" in cards["w"]
    assert "sum()00\u00a0%\N{EN DASH}" in cards["w"], "the cosine of nothing is a dash"
    assert "the outlined numbers" in cards["v"], "three numbers are not all of it"


@pytest.mark.parametrize("net", [siamese, recurrent, two_passes])
def test_numbers_shown_as_a_sum_add_up_as_printed(net):
    def read(row):
        return [float(texts(cell).replace("\N{MINUS SIGN}", "-")) for cell in row[1:]]

    def sums(piece):
        if isinstance(piece, list) and piece:
            tables = [p[-1][1:] for p in piece if piece[0] == "div.three" and "table.nums" in p[-1]]
            yield from [[list(map(read, table)) for table in tables]] if tables else (f for p in piece for f in sums(p))

    found = list(sums([leaf["cards"] for run in page(net)["passes"] for leaf in run["leaves"]]))
    assert found
    for a, b, total in found:
        np.testing.assert_allclose(np.add(a, b), total, rtol=0, atol=1e-9)


def test_the_loss_is_the_sum_of_its_terms_as_printed():
    pattern = r"loss (N) = comparison (N) \+ (N) . first digit (N) \+ (N) . second digit (N)".replace("N", r"[\d.]+")
    found = re.search(pattern, texts(page(siamese)["passes"][0]["shelf"])).groups()
    total, comparison, weight, first, same, second = map(float, found)
    places = len(found[0].partition(".")[2])
    assert (weight, same) == (0.75, 0.75)
    assert places >= 6
    assert round(comparison + weight * (first + second), places) == total


@pytest.mark.parametrize("scale", [1e-30, 1e-7, 1.0, 1e7, 1e30, np.nan])
def test_numbers_of_any_size_are_short(scale):
    x = leaf([1.0, 2.0, -3.0])
    with explore(os.devnull) as block:
        ((x * scale).sum() + (x * (scale / 3)).sum()).backward()
    data = data_of(block.page)
    shown = [text for array in data["arrays"] for line in array.get("t", []) for text in line]
    run = data["passes"][0]
    shown += re.findall(r"[\d.]+(?:e\S?\d\d?)?", texts(run["shelf"]) + " " + texts(run["leaves"][0]["cards"][1]))
    assert max(len(text.strip().lstrip("\N{MINUS SIGN}")) for text in shown) <= 12, shown


def test_a_pass_that_is_given_gradients_says_so():
    x = leaf([1.0, 2.0])
    with explore(os.devnull) as block:
        torch.autograd.grad([x * x, x.exp()], [x], [torch.ones_like(x), torch.ones_like(x)])
    (run,) = data_of(block.page)["passes"]
    whys = [row["q"]["why"] for row in run["rows"] if row["q"]["kind"] == "count"]
    assert set(whys) == {"The pass starts here, with the gradient that it was given."}
    assert "backward adds: the gradient += contribution 3" in texts(["div", *run["leaves"][0]["cards"]])


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_sizes_are_right_where_squares_are_not_numbers(scale):
    assert norm(np.array([3.0, 4.0]) * scale, np.array([12.0]) * scale) == pytest.approx(13 * scale)


def test_a_net_on_a_gpu_is_seen_too(cupy):
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).to("cuda")
    with explore(os.devnull) as block:
        (net(torch.randn(6, 4, device="cuda")).square().mean() + 0.1 * net[0].weight.square().sum()).backward()
    assert "complex step" in block.page


def test_a_forward_pass_before_the_block_and_a_hook_are_told():
    x = leaf([3.0, 4.0])
    x.register_hook(lambda g: g * 10)
    loss = (x * x).sum()
    with explore(os.devnull) as block:
        loss.backward()
    assert block.page.count("it ran before the block") == 4
    assert "A hook changed it: leaf 1.grad has size 100 now." in block.page
    (shelved,) = data_of(block.page)["passes"][0]["leaves"]
    assert texts(["div", *shelved["states"][-1]]) == "leaf 1100", "the shelf holds what .grad holds"


def test_a_hook_within_is_told_and_its_pass_is_not_split_by_loss_terms():
    x = leaf([3.0, 4.0])
    with explore(os.devnull) as block:
        y = x * x
        y.register_hook(lambda g: g * 10)
        (y.sum() + y.square().sum()).backward()
    run = data_of(block.page)["passes"][0]
    assert [row["op"] for row in run["rows"] if "A hook changed it" in texts(["div", *row["card"]])] == ["mul"]
    assert "loss term" not in texts(run["shelf"])


def test_modules_that_one_variable_names_in_turn_are_told_apart_and_a_letter_in_an_exponent_stays_there():
    with explore(os.devnull) as block:
        sum(torch.sigmoid(each(torch.ones(1, 2))).sum() for each in [nn.Linear(2, 1) for _ in range(2)]).backward()
    run = data_of(block.page)["passes"][0]
    assert {leaf["name"] for leaf in run["leaves"]} == {"each.weight", "each.bias", "each 2.weight", "each 2.bias"}
    shown = next(texts(["div", *row["card"]]) for row in run["rows"] if row["op"] == "sigmoid")
    assert "=1 / (1 + e\u2212a)a(1, 1)" in shown, shown
