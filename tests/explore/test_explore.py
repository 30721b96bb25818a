"""What the explorer records is what the pass computed, the block changes nothing, and what is refused."""

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
from minitorch.explorer.data import page_data
from minitorch.explorer.proof import CENTRAL, COMPLEX, UNKNOWN, WRONG
from minitorch.explorer.recorder import Recorder, host
from minitorch.ops.elementwise import Exp
from tests.explore.nets import NETS, create_graph, mlp, no_backward, siamese, two_passes
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
