"""The explorer's page in a browser: opened from a file, offline, by keyboard, wide and narrow, light and dark.

Skipped where there is no Chromium. The accessibility check needs axe-core besides, from npm or in the package axe-core-python.
"""

import functools
import re
from pathlib import Path

import numpy as np
import pytest

import layers as nn
import minitorch as torch
from minitorch.explorer import explore
from tests.explore import nets
from tests.explore.test_explore import Recording
from tests.explore_browser.browser import axe, browser, executable

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine (apt-get install chromium)")

NETS = [nets.siamese, nets.mlp, nets.broadcast, nets.two_passes, nets.create_graph, nets.not_a_number, nets.no_backward]
MINUS = "\N{MINUS SIGN}"
WIDE, NARROW = (1280, 860), (390, 844)

# Texts that lie over one another, or stick out of what is around them; a tape with very long names may scroll sideways.
FAULTS = """(() => {
  const boxes = [], found = [];
  for (const area of document.querySelectorAll("header, #tape, #card, #shelf, #foot")) {
    if (!area.offsetParent && getComputedStyle(area).position != "fixed") continue;
    const outer = area.getBoundingClientRect(), walk = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
    for (let node; node = walk.nextNode();) {
      if (!node.data.trim() || node.parentElement.closest("select")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const r of range.getClientRects()) {
        if (r.width < 1 || r.height < 1) continue;
        const left = outer.left - area.scrollLeft, inside = r.left >= left - 1 && r.right <= left + (area.id == 'tape' ? area.scrollWidth : area.clientWidth) + 1;
        if (!inside) found.push(`"${node.data}" sticks out of ${area.id || area.tagName}: ${r.left}-${r.right}`);
        boxes.push([area, node, r]);
      }
    }
  }
  boxes.sort((a, b) => a[2].top - b[2].top);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length && boxes[j][2].top < boxes[i][2].bottom; j++) {
    const [area, n, a] = boxes[i], [other, m, b] = boxes[j];
    const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (area == other && n != m && w > 1 && h > 5) found.push(`"${n.data}" lies over "${m.data}"`);
  }
  return found;
})()"""
STATE = """document.body.outerHTML.replace(/ (selected|value)="[^"]*"/g, "") +
  [...document.querySelectorAll("canvas")].map(c => c.toDataURL()).join() + location.hash"""


@pytest.fixture(scope="module")
def tab():
    with browser() as page:
        yield page
        assert page.errors == []
        assert [url for url in page.requests if not url.startswith(("file:", "about:"))] == []


@functools.cache
def folder():
    import tempfile

    return Path(tempfile.mkdtemp())


@functools.cache
def written(net):
    path = folder() / f"{net.__name__}.html"
    net(explore(path))
    return path


def at(net, step, run=1):
    return f"{written(net).as_uri()}#pass={run}&step={step}"


def digits(arrays):
    """The norm of arrays in six significant digits."""
    return float(f"{np.sqrt(sum((np.float64(a) ** 2).sum() for a in arrays)):.6g}")


def steps(tab):
    return tab.run("P.rows.length")


# ---- what it shows -------------------------------------------------------------------------------------------------------


def test_it_opens_offline_from_a_file_and_asks_for_nothing(tab):
    tab.requests.clear()
    tab.open(written(nets.siamese))
    assert [url for url in tab.requests if not url.startswith("about:")] == [written(nets.siamese).as_uri()]
    assert tab.run("document.querySelector('h1').textContent") == "WeightSharing"
    policy = tab.run("document.querySelector('meta[http-equiv]').content")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("net", [nets.siamese, nets.broadcast, nets.two_passes, nets.create_graph])
def test_the_numbers_of_every_step_are_those_of_the_pass(tab, net):
    block = Recording()
    net(block)
    for k, run in enumerate(block.recorder.passes, 1):
        tab.open(at(net, 1, k))
        assert steps(tab) == len(run.steps)
        names = [target.name for target in run.targets.values()]
        for i, step in enumerate(run.steps):
            card, row = tab.run(f"[$('card').innerText, document.querySelector('#r{i}').innerText]")
            assert float(row.split("\n")[-1].replace(MINUS, "-")) == digits(step.incoming), (i, row)
            sizes = [float(text.replace(MINUS, "-")) for text in re.findall(r"size (\d[\d.]*(?:e\S?\d+)?)", card)]
            for g in (*step.incoming, *(arrival.grad for arrival in step.sent.values())):
                assert digits([g]) in sizes, (i, sizes)
            assert (
                step.proof.error is None
                or f"{step.proof.error:.6g}" == f"{float(card.split('error ')[1].split()[0].replace(MINUS, '-')):.6g}"
            )
            assert step.proof.note in card
            for name, use in zip(names, run.targets.values()):
                here = [t for a, t in zip(use.arrivals, use.totals) if run.steps.index(a.by) <= i]
                held = here[-1] + (0 if use.before is None else use.before) if here else use.before
                shown = tab.run(f"document.querySelector('#l{names.index(name)} .num').textContent")
                assert shown == "None" if held is None else float(shown.replace(MINUS, "-")) == digits([held])
            tab.press("ArrowRight")


@pytest.mark.parametrize("net", [nets.siamese, nets.create_graph])
def test_back_after_forward_restores_the_page_exactly(tab, net):
    tab.open(at(net, 1))
    states = []
    for _ in range(steps(tab)):
        states.append(tab.run(STATE))
        tab.press("ArrowRight")
    assert len(set(states)) == len(states)
    for state in reversed(states):
        assert tab.run(STATE) == state
        tab.press("ArrowLeft")


def test_a_state_is_opened_by_its_address(tab):
    tab.open(at(nets.two_passes, 3, 2))
    assert tab.run("$('go').textContent") == "\N{LEFTWARDS ARROW}Step 3 of 6\N{RIGHTWARDS ARROW}"
    assert tab.run("location.hash") == "#pass=2&step=3"
    tab.open(written(nets.two_passes).as_uri() + "#pass=9&step=999")
    assert tab.run("location.hash") == "#pass=2&step=6"


def test_the_second_contribution_shows_the_sum(tab):
    tab.open(at(nets.siamese, 51))
    said = tab.run("$('card').innerText")
    assert said.startswith("One weight, used twice: its gradient is a sum")
    assert tab.run("document.querySelectorAll('#card .three canvas').length") == 3
    assert tab.run("document.querySelectorAll('.bracket').length") == 1


# ---- keys ----------------------------------------------------------------------------------------------------------------


def test_keys_alone_do_everything(tab):
    tab.open(at(nets.siamese, 1))
    where = "location.hash.match(/step=(\\d+)/)[1]"
    for key, step in [("ArrowRight", 2), ("End", 51), ("ArrowRight", 51), ("ArrowLeft", 50), ("Home", 1), ("ArrowLeft", 1)]:
        tab.press(key)
        assert tab.run(where) == str(step), key
    rows = "document.querySelectorAll('#tape button.row:not(.fold)').length"
    before = tab.run(rows)
    tab.press("f")
    assert tab.run(rows) == 51 > before
    tab.press("m")
    assert tab.run("document.querySelector('.map .now').textContent") == "loss"
    tab.press("m")
    tab.press("/")
    for key in "softmax":
        tab.press(key)
    assert tab.run("document.querySelector('.cur .op').textContent") == "softmax"
    tab.press("Escape")
    assert tab.run("document.querySelector('#find')") is None


def test_everything_is_reached_by_tab_and_worked_by_enter(tab):
    tab.open(at(nets.mlp, 2))
    wanted = set(
        tab.run(
            "[...document.querySelectorAll('button, select, input')].filter(e => e.offsetParent && !e.disabled).map(e => e.id)"
        )
    )
    reached = set()
    for _ in range(len(wanted) + 8):
        tab.press("Tab")
        reached.add(tab.run("document.activeElement.id"))
    assert wanted <= reached, wanted - reached
    tab.run("document.querySelector('#r3').focus()")
    tab.press("Enter")
    assert tab.run("location.hash") == "#pass=1&step=4"
    assert tab.run("document.activeElement.id") == "r3"
    tab.run("document.querySelector('#l0').focus()")
    tab.press("Enter")
    assert tab.run("$('card').innerText").split("\n")[1].startswith("2.weight.grad") or "weight.grad" in tab.run(
        "$('card').innerText"
    )
    tab.press("Escape")
    assert "weight.grad:" not in tab.run("$('card').innerText")


def test_predict_asks_before_it_shows(tab):
    tab.open(at(nets.siamese, 1))
    tab.press("p")
    for i in range(51):
        q = tab.run(f"({{kind: R[{i}].q.kind, right: R[{i}].q.right, why: R[{i}].q.why, leaf: R[{i}].q.leaf}})")
        said = tab.run("$('card').innerText")
        assert "Predict before you step" in said
        for hidden in ["Is it right?", "The rule for each input"]:
            assert hidden not in said
        if q["kind"] == "shape":
            answer = tab.run(f"R[{i}].q.options[{q['right']}]")
            assert (
                tab.run(f"[...document.querySelectorAll('#card .part small')].filter(e => e.textContent == '{answer}').length")
                == 0
            )
        if q["kind"] == "add":
            assert re.fullmatch(r"\S+\s+\?*", tab.run(f"document.querySelector('#l{q['leaf']}').innerText").strip())
        tab.press("ArrowRight")
        assert tab.run("S.step") == i + 1, "no step before the answer"
        tab.press(str(q["right"] + 1 if i % 3 else (q["right"] + 1) % tab.run(f"R[{i}].q.options.length") + 1))
        said = tab.run("$('card').innerText")
        assert ("Right" if i % 3 else "Not so") in said
        assert q["why"] in said
        assert "Is it right?" in said
        tab.press("ArrowRight")
    assert "34 of 51 right" in tab.run("$('who').innerText")


# ---- looks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("net", NETS)
def test_nothing_overlaps_or_sticks_out(tab, net, size):
    tab.open(at(net, 1), *size)
    n = steps(tab)
    for run in range(1, tab.run("D.passes.length") + 1):
        for step in sorted({1, 2, 3, n // 4, n // 2, n - 1, n}):
            for predicts in (False, True):
                tab.run(f"S.predict = {str(predicts).lower()}; S.pass = {run - 1}; R = D.passes[S.pass].rows; go({step})")
                assert tab.run(FAULTS) == [], (run, step, predicts)
                assert tab.run("document.documentElement.scrollWidth") <= size[0]
        n = tab.run("R.length")


@pytest.mark.parametrize("net, step", [(nets.siamese, 51), (nets.broadcast, 3)])
def test_on_paper_nothing_overlaps_or_is_cut(tab, net, step):
    tab.open(at(net, step), 718, 1000)  # A4 within its margins
    tab.call("Emulation.setEmulatedMedia", media="print")
    tab.run("render()")
    assert tab.run(FAULTS) == []
    assert tab.run("document.documentElement.scrollWidth") <= 718
    cut = "[...document.querySelectorAll('section')].filter(e => e.scrollHeight > e.clientHeight).map(e => e.id)"
    assert tab.run(cut) == []


def test_long_names_and_many_dimensions_have_room(tab, tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder_of_everything_there_is = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 128, 3), nn.ReLU())])
            self.decoder = nn.ModuleDict({"</script><b>\"'&🙂": nn.Linear(128, 5)})

        def forward(self, x):
            x = self.encoder_of_everything_there_is[0](x).mean((2, 3))
            return self.decoder["</script><b>\"'&🙂"](x)

    with explore(tmp_path / "tape.html") as page:
        page.terms["a term with a name that is rather long </script>"] = Net()(torch.randn(16, 3, 20, 20)).square().mean()
        page.terms["a term with a name that is rather long </script>"].backward()
    for size in WIDE, NARROW:
        for step in range(1, 7):
            tab.open(f"{(tmp_path / 'tape.html').as_uri()}#step={step}", *size)
            assert tab.run(FAULTS) == [], (size, step)
            assert tab.run("document.documentElement.scrollWidth") <= size[0]
    assert tab.run("document.querySelectorAll('b b, img, #card script').length") == 0


def test_light_and_dark_differ_in_colour_alone(tab):
    seen = {}
    for dark in (False, True):
        tab.open(at(nets.siamese, 12), dark=dark)
        seen[dark] = tab.run("[getComputedStyle(document.documentElement).backgroundColor, document.body.innerText]")
    assert seen[False][0] != seen[True][0]
    assert seen[False][1] == seen[True][1]


def test_the_map_marks_where_the_step_is(tab):
    for net, step, name in [(nets.siamese, 12, "compare"), (nets.siamese, 17, "cat"), (nets.siamese, 51, "digit, first use")]:
        for size in WIDE, NARROW:
            tab.open(at(net, step), *size)
            tab.run("set({map: 1})")
            assert tab.run("document.querySelector('.map .now').textContent").startswith(name)
            assert tab.run(FAULTS) == []
            assert tab.run("document.documentElement.scrollWidth") <= size[0]


def test_a_thousand_rules_fold_and_step(tab, tmp_path):
    x = torch.randn(4, 4, requires_grad=True)
    net = nn.Sequential(*(nn.Sequential(nn.Tanh(), nn.ReLU()) for _ in range(499)))
    with explore(tmp_path / "tape.html"):
        (net(x) * 2).sum().backward()
    tab.open(tmp_path / "tape.html")
    assert tab.run("R.length") == 1000
    for key, step in [("End", 1000), ("ArrowLeft", 999), ("Home", 1)]:
        tab.press(key)
        assert tab.run("S.step") == step


def test_a_notebook_frame_works(tab, tmp_path):
    block = explore(tmp_path / "tape.html")
    nets.mlp(block)
    (tmp_path / "frame.html").write_text(f"<!doctype html>{block._repr_html_()}", encoding="utf-8")
    tab.open(tmp_path / "frame.html")
    inside = "document.querySelector('iframe').contentDocument.querySelector('#go').textContent"
    assert "Step 1 of 4" in tab.run(inside)


@pytest.mark.skipif(axe() is None, reason="no axe-core (pip install axe-core-python, or name an axe.min.js in MINITORCH_AXE)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(tab, size, dark):
    script = axe().read_text(encoding="utf-8")
    for net, step, keys in [(nets.siamese, 12, ""), (nets.siamese, 51, ""), (nets.siamese, 12, "p"), (nets.broadcast, 3, "p2")]:
        tab.open(at(net, step), *size, dark=dark)
        for key in keys:
            tab.press(key)
        tab.run(script + ";0")
        found = tab.run(
            "axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html + n.failureSummary)]))"
        )
        assert [v for v in found if v[0] in ("serious", "critical")] == []
