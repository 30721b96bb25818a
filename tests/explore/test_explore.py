"""The tape explorer: what it records is what the pass computed, and the block changes nothing."""

import contextlib
import functools
import json
import re
import sys
import tempfile
from pathlib import Path

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
from minitorch.ops.elementwise import Exp
from tests.explore.nets import NETS, broadcast, create_graph, mlp, no_backward, recurrent, siamese, two_passes
from tests.op_table import ROWS
from tests.op_table.row import is_differentiated

WITH_A_PASS = [net for net in NETS if net is not no_backward]


class Recording:
    """A block in which a recorder watches, for a look at what it remembers."""

    def __init__(self):
        self.terms = {}

    def __enter__(self):
        self.recorder = Recorder(sys._getframe(1), self.terms)
        self.switch = Switch(self.recorder, "watch")
        self.switch.__enter__()
        return self

    def __exit__(self, *exception):
        self.switch.__exit__()


class Counting(Watch):
    """Counts the rules of operations that the engine runs, and keeps what arrives at leaves."""

    def __init__(self):
        self.rules = 0

    def rule(self, node, rule, incoming):
        self.rules += hasattr(node, "apply")
        return rule.backward(*incoming)


@functools.cache
def recorded(net):
    block = Recording()
    return net(block), block.recorder


@functools.cache
def written(net):
    with tempfile.TemporaryDirectory() as folder:
        block = explore(Path(folder) / "tape.html")
        net(block)
    return block.page


def page(net):
    return json.loads(re.search(r'id="data">(.*?)</script>', written(net), re.S)[1])


def same_bits(a, b):
    return (a is None and b is None) or (a.dtype == b.dtype and host(a).tobytes() == host(b).tobytes())


def texts(piece):
    """All text of a piece of the page."""
    if isinstance(piece, str):
        return piece
    return "".join(texts(p) for p in piece[1:]) if isinstance(piece, list) else ""


# ---- what is recorded ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", NETS)
def test_the_block_changes_no_bit(net, tmp_path):
    without, within = net(contextlib.nullcontext()), net(explore(tmp_path / "tape.html"))
    assert without.keys() == within.keys()
    assert [name for name in without if not same_bits(without[name], within[name])] == []


@pytest.mark.parametrize("net", NETS)
def test_steps_are_the_rules_that_ran(net):
    counting = Counting()
    net(Switch(counting, "watch"))
    _, recorder = recorded(net)
    assert sum(len(run.steps) for run in recorder.passes) == recorder.count == counting.rules


@pytest.mark.parametrize("net", WITH_A_PASS)
def test_contributions_add_up_to_grad(net):
    _, recorder = recorded(net)
    for run in recorder.passes:
        for target in run.targets.values():
            total = sum(arrival.grad for arrival in target.arrivals) + (
                0 if target.before is None or target.after is None else target.before
            )
            expected = target.totals[-1] if target.after is None else target.after
            np.testing.assert_allclose(total, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("net", WITH_A_PASS)
def test_a_gradient_is_the_sum_of_its_parts(net):
    _, recorder = recorded(net)
    for step in (step for run in recorder.passes for step in run.steps):
        for g, parts in zip(step.incoming, step.parts):
            np.testing.assert_allclose(sum(part.grad for part in parts), g, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("net", WITH_A_PASS)
def test_loss_terms_add_up(net):
    _, recorder = recorded(net)
    for run in recorder.passes:
        for target in run.targets.values():
            for arrival in target.arrivals:
                np.testing.assert_allclose(sum(arrival.terms), arrival.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("net", WITH_A_PASS)
def test_every_rule_is_proved_or_says_why_not(net):
    _, recorder = recorded(net)
    for step in (step for run in recorder.passes for step in run.steps):
        proof = step.proof
        assert proof.way != WRONG
        assert (proof.way == COMPLEX and proof.error <= 1e-12) or (proof.way != COMPLEX and proof.note), proof


def test_all_51_rules_of_the_siamese_net_are_proved_by_complex_step():
    _, recorder = recorded(siamese)
    (run,) = recorder.passes
    assert len(run.steps) == 51
    assert len(run.targets) == 24
    assert sum(len(target.arrivals) for target in run.targets.values()) == 38
    assert {step.proof.way for step in run.steps} == {COMPLEX}


def test_the_terms_of_the_siamese_net_are_named_and_weighed():
    _, recorder = recorded(siamese)
    terms = recorder.passes[0].terms
    assert [(term.name, term.weight) for term in terms] == [("comparison", 1), ("first digit", 0.75), ("second digit", 0.75)]


def test_terms_without_a_name_are_called_by_their_variable_or_their_source():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    block = Recording()
    with block:
        fit = (x * x).sum()
        (fit - 0.1 * x.abs().sum()).backward()
    terms = block.recorder.passes[0].terms
    source = "x.abs().sum()" if sys.version_info >= (3, 11) else terms[1].name
    assert [(term.name, round(term.weight, 6)) for term in terms] == [("fit", 1), (source, -0.1)]


def test_a_named_term_that_is_none_is_told():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    block = Recording()
    with block:
        block.terms["part"] = (x * x).sum()
        with pytest.raises(ValueError, match="is not a sum in which 'part' is a term"):
            block.terms["part"].exp().backward()


def test_paths_uses_and_lines_are_the_users():
    _, recorder = recorded(siamese)
    steps = recorder.passes[0].steps
    first = [step.record for step in steps if step.record.node.title == "conv2d"]
    assert [record.place.module for record in first] == ["digit.3", "digit.0", "digit.3", "digit.0"]
    assert [record.place.group for record in first] == [("digit", 2), ("digit", 2), ("digit", 1), ("digit", 1)]
    assert {"".join(record.place.lines[0][3:]) for record in first} == {
        "first, second = self.digit(pairs[:, :1]), self.digit(pairs[:, 1:])"
    }
    assert [line.file for line in first[0].place.lines] == ["weight_sharing.py", "nets.py"]
    if sys.version_info >= (3, 11):
        assert first[0].place.lines[0].run == "self.digit(pairs[:, 1:])"


def test_a_module_called_in_a_loop_has_as_many_uses():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    block = Recording()
    with block:
        x = torch.zeros(1, 3)
        for _ in range(3):
            x = net(x)
        x.sum().backward()
    groups = [step.record.place.group for step in block.recorder.passes[0].steps]
    assert groups == [None, *(("net", use) for use in (3, 3, 2, 2, 1, 1))]


def test_nodes_recorded_by_a_rule_name_it():
    _, recorder = recorded(create_graph)
    makers = {step.record.made_by and step.record.made_by.record.node.title for step in recorder.passes[1].steps}
    assert makers >= {None, "tanh", "mul"}


def test_a_second_pass_knows_what_the_first_left():
    _, recorder = recorded(two_passes)
    first, second = ({target.name: target for target in run.targets.values()} for run in recorder.passes)
    assert first.keys() == second.keys()
    assert all(target.before is None for target in first.values())
    for name, target in second.items():
        np.testing.assert_array_equal(target.before, first[name].after)
        np.testing.assert_allclose(target.after, 2 * target.before, rtol=1e-14)


def test_arrays_changed_after_the_pass_are_shown_as_they_were():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    block = Recording()
    with block:
        (x * x).sum().backward()
        with torch.no_grad():
            x.fill_(7)
            x.grad.fill_(7)
    target = next(iter(block.recorder.passes[0].targets.values()))
    assert target.after.tolist() == [2, 4]
    assert block.recorder.passes[0].steps[1].record.inputs[0].tolist() == [1, 2]


def test_a_rule_may_run_a_pass_of_its_own():
    class Odd(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a * a

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            with torch.enable_grad():
                own, other = a.clone().requires_grad_(), torch.ones(1, requires_grad=True)
                assert torch.autograd.grad(other.sum(), own, allow_unused=True) == (None,)
                (slope,) = torch.autograd.grad((own * own).sum(), own)
            return g * slope

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    block = Recording()
    with block:
        Odd.apply(x * 3).sum().backward()
    assert x.grad.tolist() == [18, 36]
    assert [len(run.steps) for run in block.recorder.passes] == [2, 3]


# ---- proofs --------------------------------------------------------------------------------------------------------------


def proof_of(function, *values):
    tensors = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    block = Recording()
    with block:
        function(*tensors).sum().backward()
    return block.recorder.passes[0].steps[1].proof


def test_what_is_not_analytic_is_proved_by_differences():
    proof = proof_of(torch.abs, [1.5, -2.5])
    assert proof.way == CENTRAL
    assert proof.error < 1e-6
    assert "abs is not analytic" in proof.note


def test_a_kink_is_called_one():
    proof = proof_of(torch.abs, [0.0, 1.0])
    assert proof.way == UNKNOWN
    assert "kink" in proof.note


def test_a_wrong_rule_is_told():
    class Wrong(Exp):
        """e^a.  da = g e^a."""

        def backward(ctx, g):
            return 2 * super().backward(g)

    assert proof_of(Wrong.apply, [0.5, 1.0]).way == WRONG


def test_float32_is_proved_in_float64():
    block = Recording()
    mlp(block, torch.float32)
    for step in block.recorder.passes[0].steps:
        assert step.proof.way == COMPLEX
        assert step.proof.error <= 1e-12
        assert "rounds to" in step.proof.note


# ---- the page ------------------------------------------------------------------------------------------------------------


def test_lanes_of_a_diamond():
    places, edges = lanes([[1], [2], [3, 4], [4], []])
    assert places == [0, 0, 0, 1, 0]
    assert sorted(edges) == [(0, 1, 0), (1, 2, 0), (2, 3, 1), (2, 4, 0), (3, 4, 0)]


def test_the_map_has_a_layer_for_each_step_away_from_the_loss():
    drawn = layered(["a", "<b>", "c", "d"], [{1, 3}, {2}, {3}, set()])
    assert drawn.count("<path") == 4
    assert [int(y) for y in re.findall(r'<rect [^>]*y="(\d+)"', drawn)] == [16, 80, 144, 208]
    assert "&lt;b&gt;" in drawn


def test_no_lane_holds_two_gradients_at_once():
    generator = np.random.default_rng(0)
    for _ in range(200):
        n = int(generator.integers(2, 30))
        sources = [sorted({int(v) for v in generator.integers(i + 1, n, size=2)}) if i < n - 1 else [] for i in range(n)]
        places, edges = lanes(sources)
        assert {(u, v) for u, v, _ in edges} == {(u, v) for u, targets in enumerate(sources) for v in targets}
        for row in range(n):
            under_way = {}
            for u, v, lane in edges:
                if u < row < v:
                    assert under_way.setdefault(lane, v) == v, "two gradients in one lane lead to different rows"
            assert places[row] not in under_way or not any(u < row < v and lane == places[row] for u, v, lane in edges)


@pytest.mark.parametrize("net", NETS)
def test_a_page_is_valid_json_without_markup(net):
    data = page(net)
    rows = [row for run in data["passes"] for row in run["rows"]]
    assert all(row["card"] and row["top"] for row in rows)
    text = written(net)
    assert "<" not in re.search(r'id="data">(.*?)</script>', text, re.S)[1]
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_sizes_of_the_siamese_page(tmp_path):
    block = explore(tmp_path / "tape.html")
    siamese(block, torch.float32)
    whole = len(block.page.encode())
    data = len(re.search(r'id="data">(.*?)</script>', block.page, re.S)[1].encode())
    assert whole == (tmp_path / "tape.html").stat().st_size <= 400_000
    assert whole - data <= 16_000


def test_one_line_says_what_was_written(tmp_path, capsys):
    block = explore(tmp_path / "tape.html")
    mlp(block)
    assert capsys.readouterr().out == f"{tmp_path / 'tape.html'}: 4 nodes, {len(block.page.encode()):,} bytes\n"


def test_a_notebook_shows_the_page_in_a_frame(tmp_path):
    block = explore(tmp_path / "tape.html")
    mlp(block)
    shown = block._repr_html_()
    assert shown.startswith("<iframe")
    assert shown.count("<") == 2


def test_the_card_of_a_linear_layer():
    row = page(mlp)["passes"][0]["rows"][1]
    said = texts(["div", *row["card"]])
    for text in ["yxwTb"[0], "(6, 3)", "dx = g w", "dw = gT x", "2.weight.grad", "first of 1: stored", "complex step"]:
        assert text in said, text


def test_a_broadcast_input_is_summed_as_a_step_of_its_own():
    said = texts(["div", *page(broadcast)["passes"][0]["rows"][2]["card"]])
    assert "(4, 3) does not fit b (3), so it is summed over axis 0: (4, 3) → (3)" in said
    assert "1 + 1 + 1 + 0 = 3" in said


def test_a_weight_used_twice_tells_why_its_gradient_is_a_sum():
    data = page(siamese)["passes"][0]
    (leaf,) = [leaf for leaf in data["leaves"] if leaf["name"] == "digit.0.weight"]
    said = texts(leaf["cards"][1])
    for text in [
        "One weight, used twice: its gradient is a sum",
        "the same 288 numbers",
        "digit, second use, step 34",
        "comparison",
    ]:
        assert text in said, text


def test_the_second_pass_says_that_grad_was_not_empty():
    leaf = page(two_passes)["passes"][1]["leaves"][0]
    assert ".grad was not empty: backward adds to it" in texts(leaf["cards"][-1])


@pytest.mark.parametrize("net", [siamese, recurrent, two_passes])
def test_numbers_shown_as_a_sum_add_up_as_printed(net):
    data = page(net)
    sums = 0

    def numbers(table):
        return [[float(texts(cell).replace("\N{MINUS SIGN}", "-")) for cell in row[1:]] for row in table[1:]]

    def look(piece):
        nonlocal sums
        if isinstance(piece, list):
            if piece[0] == "div.three":
                tables = [p[-1] for p in piece if p[0] == "div" and isinstance(p[-1], list) and p[-1][0] == "table.nums"]
                if tables:
                    a, b, total = map(numbers, tables)
                    np.testing.assert_allclose(np.add(a, b), total, rtol=0, atol=1e-9)
                    sums += 1
            for p in piece[1:]:
                look(p)

    for run in data["passes"]:
        for leaf in run["leaves"]:
            for card in leaf["cards"]:
                look(card)
    assert sums


def test_the_loss_is_the_sum_of_its_terms_as_printed():
    said = texts(page(siamese)["passes"][0]["shelf"])
    pattern = r"loss (N) = comparison (N) \+ (N) . first digit (N) \+ (N) . second digit (N)".replace("N", r"[\d.]+")
    total, comparison, weight, first, same, second = map(float, re.search(pattern, said).groups())
    assert weight == same == 0.75
    places = len(re.search(pattern, said)[1].partition(".")[2])
    assert places >= 6
    assert round(comparison + weight * (first + second), places) == total


@pytest.mark.parametrize("net", WITH_A_PASS)
def test_every_step_has_a_question_with_one_right_answer(net):
    for run in page(net)["passes"]:
        for row in run["rows"]:
            q = row["q"]
            assert 2 <= len(set(q["options"])) == len(q["options"]) <= 4
            assert 0 <= q["right"] < len(q["options"])
            assert q["why"]


def test_six_kinds_of_question_are_asked():
    nets = [siamese, broadcast, recurrent]
    kinds = {row["q"]["kind"] for net in nets for run in page(net)["passes"] for row in run["rows"]}
    assert kinds == {"next", "shape", "count", "axes", "add", "sign"}


@pytest.mark.parametrize("scale", [1e-30, 1e-7, 1.0, 1e7, 1e30])
def test_numbers_of_any_size_are_short(scale, tmp_path):
    x = torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64, requires_grad=True)
    block = explore(tmp_path / "tape.html")
    with block:
        ((x * scale) + x * (scale / 3)).sum().backward()
    data = json.loads(re.search(r'id="data">(.*?)</script>', block.page, re.S)[1])
    shown = [text for array in data["arrays"] for line in array.get("t", []) for text in line]
    shown += re.findall(r"[\d.]+(?:e\S*\d)?", texts(data["passes"][0]["leaves"][0]["cards"][1]))
    assert max(len(text.strip().lstrip("\N{MINUS SIGN}")) for text in shown) <= 12, shown


def test_names_are_inert(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            for name in ["</script><img src=x onerror=alert(1)>", '"quotes" & \'s', "émoji🙂"]:
                self.add_module(name, nn.Linear(3, 3))

        def forward(self, x):
            for module in self._modules.values():
                x = module(x)
            return x

    block = explore(tmp_path / "tape.html")
    net = Net()
    with block:
        block.terms["</script>"] = net(torch.zeros(2, 3)).sum()
        block.terms["</script>"].backward()
    assert block.page.count("</script>") == 2
    assert "<img" not in block.page
    assert "<img" in json.dumps(json.loads(re.search(r'id="data">(.*?)</script>', block.page, re.S)[1]))


def test_no_backward_is_the_forward_tape():
    (run,) = page(no_backward)["passes"]
    assert run["forward"] == 1
    assert [row["title"].split()[0] for row in run["rows"]] == ["sum", "linear", "relu", "linear"]
    assert "No backward has run" in texts(run["foot"])


def test_a_net_on_a_gpu_is_seen_too(cupy, tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).to("cuda")
    block = explore(tmp_path / "tape.html")
    with block:
        (net(torch.randn(6, 4, device="cuda")).square().mean() + 0.1 * net[0].weight.square().sum()).backward()
    assert "complex step" in block.page


def test_a_forward_pass_before_the_block_is_walked_without_its_numbers(tmp_path):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (x.tanh() * x).sum()
    block = explore(tmp_path / "tape.html")
    with block:
        loss.backward()
    assert block.page.count("it ran before the block") == 6


def test_a_function_of_the_users_own_is_proved():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, scale):
            ctx.save_for_backward(a)
            ctx.scale = scale
            return a * a * a * scale

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return 3 * a * a * g * ctx.scale, None

    proof = proof_of(lambda x: Cube.apply(x, 2.0), [0.5, -1.0])
    assert proof.way == COMPLEX, proof


def test_a_hook_that_changes_a_gradient_is_told(tmp_path):
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    x.register_hook(lambda g: g * 10)
    block = explore(tmp_path / "tape.html")
    with block:
        (x * x).sum().backward()
    assert "A hook changed it: x.grad has size 100 now." in block.page


def test_a_pass_that_gives_up_leaves_the_next_alone():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    block = Recording()
    with block:
        loss = (x * x).sum()
        loss.backward()
        with pytest.raises(RuntimeError):
            loss.backward()
        x.square().sum().backward()
    assert [len(run.steps) for run in block.recorder.passes] == [2, 2]


# ---- what is refused -----------------------------------------------------------------------------------------------------


def test_too_many_rules_are_refused_and_nothing_is_written(tmp_path):
    x = torch.ones(1, requires_grad=True)
    y = x
    block = explore(tmp_path / "tape.html")
    block.__enter__()
    for _ in range(1500):
        y = y * 1.0
    y.sum().backward()
    with pytest.raises(RuntimeError, match=r"1,501 rules ran in the block.*1,500"):
        block.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []
    assert x.grad.item() == 1


def test_a_block_without_a_tape_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="no tape to show"), explore(tmp_path / "tape.html"):
        torch.ones(2).sum()
    assert list(tmp_path.iterdir()) == []


def test_anomaly_mode_and_explore_exclude_each_other(tmp_path):
    with pytest.raises(RuntimeError, match="watched by"), explore(tmp_path / "a.html"), torch.autograd.detect_anomaly():
        pass
    with pytest.raises(RuntimeError, match="watched by"), torch.autograd.detect_anomaly(), explore(tmp_path / "b.html"):
        pass
    with pytest.raises(RuntimeError, match="watched by"), explore(tmp_path / "c.html"), explore(tmp_path / "d.html"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_block_writes_nothing_and_leaves_the_mode(tmp_path):
    with pytest.raises(KeyError), explore(tmp_path / "tape.html"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    mlp(explore(tmp_path / "again.html"))


def test_the_placeholders_of_the_page_are_not_looked_for_in_its_data():
    run = {"rows": [], "leaves": []}
    assert "{{DATA}}" in page_of({"title": "{{DATA}}", "passes": [run], "arrays": []})


def test_importing_minitorch_does_not_import_the_explorer():
    import subprocess

    program = "import sys, minitorch; assert not any('explorer' in name for name in sys.modules); minitorch.explore"
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- every operation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_operation_is_shown_and_none_is_accused(row):
    for case in [case for case in row.cases if any(map(is_differentiated, row.inputs(case)))][:2]:
        grads = []
        block = Recording()
        for within in (contextlib.nullcontext(), block):
            torch.manual_seed(0)
            inputs = row.inputs(case)
            with within:
                outputs = [out for out in row(case, inputs) if out.requires_grad]
                for out in outputs:
                    out.backward(torch.ones_like(out) * 0.5, retain_graph=True)
            grads.append([value.grad for value in inputs if is_differentiated(value)])
        assert all(map(same_bits, *grads)), case
        for step in (step for run in block.recorder.passes for step in run.steps):
            assert step.proof.way != WRONG, (case, step.record.node.title, step.proof)
            assert step.proof.way == COMPLEX or step.proof.note, (case, step.record.node.title)
        if any(run.steps for run in block.recorder.passes):
            page_of(page_data(block.recorder, row.name))
