"""The explorer's page in a browser: opened from a file, offline, by keyboard, wide and narrow, light and dark.

Skipped where there is no Chromium or no Playwright. The accessibility check needs axe-core besides, from npm or in the package
axe-core-python.
"""

import functools
import re
from importlib.util import find_spec

import numpy as np
import pytest

import layers as nn
import minitorch as torch
from minitorch.explorer import explore
from tests.explore import nets
from tests.explore.test_explore import Recording
from tests.explore_browser.browser import EXECUTABLE, axe, browser, show

pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium on this machine (apt-get install chromium)"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="no Playwright (pip install playwright)"),
]
NETS = [nets.siamese, nets.mlp, nets.broadcast, nets.two_passes, nets.create_graph, nets.not_a_number, nets.no_backward]
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
      const title = node.parentElement.closest("h1");  // which is cut where it is long
      for (const r of (title || range).getClientRects()) {
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


@pytest.fixture(scope="module")
def at(tab, tmp_path_factory):
    """Show the page of a net at a step, in a window of some size."""
    folder = tmp_path_factory.mktemp("pages")

    @functools.cache
    def written(net):
        net(explore(folder / f"{net.__name__}.html"))
        return folder / f"{net.__name__}.html"

    return lambda net, step, run=1, *size, **look: show(tab, f"{written(net).as_uri()}#pass={run}&step={step}", *size, **look)


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def text(tab, selector):
    return tab.inner_text(selector).replace("\N{MINUS SIGN}", "-")


def assert_in_order(tab, *state):
    """No text lies over another or sticks out, and the page is no wider than the window."""
    assert tab.evaluate(FAULTS) == [], state
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]


def digits(*arrays):
    """The norm of arrays in six significant digits."""
    return float(f"{np.sqrt(sum((np.float64(a) ** 2).sum() for a in arrays)):.6g}")


# ---- what it shows -------------------------------------------------------------------------------------------------------


def test_it_opens_offline_from_a_file_at_the_state_of_its_address_and_asks_for_nothing(tab, at):
    tab.requests.clear()
    at(nets.siamese, 51)
    assert [url for url in tab.requests if not url.startswith("about:")] == [tab.url.partition("#")[0]]
    assert text(tab, "h1") == "WeightSharing"
    policy = tab.get_attribute("meta[http-equiv]", "content")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "Step 51 of 51" in text(tab, "#go")
    assert text(tab, "#card").startswith("One weight, used twice: its gradient is a sum")
    assert tab.locator("#card .three canvas").count() == 3
    assert tab.locator(".bracket").count() == 1
    at(nets.two_passes, 999, 9)
    assert tab.url.endswith("#pass=2&step=6")


@pytest.mark.parametrize("net", [nets.siamese, nets.broadcast, nets.two_passes, nets.create_graph])
def test_the_numbers_of_every_step_are_those_of_the_pass(tab, at, net):
    block = Recording()
    net(block)
    for k, (run, steps) in enumerate(zip(block.recorder.passes, block.passes), 1):
        at(net, 1, k)
        assert tab.evaluate("P.rows.length") == len(steps)
        for i, step in enumerate(steps):
            card = text(tab, "#card")
            assert float(text(tab, f"#r{i}").split("\n")[-1]) == digits(*step.incoming), i
            sizes = set(map(float, re.findall(r"size (\d[\d.]*(?:e-?\d+)?)", card)))
            assert {digits(g) for g in (*step.incoming, *(arrival.grad for arrival in step.sent.values()))} <= sizes, i
            assert step.proof.error is None or f"{step.proof.error:.6g}" == f"{float(card.split('error ')[1].split()[0]):.6g}"
            assert step.proof.note.replace("\N{MINUS SIGN}", "-") in card
            for n, use in enumerate(run.targets.values()):
                here = [total for arrival, total in zip(use.arrivals, use.totals) if arrival.by.row <= i]
                held = here[-1] + (0 if use.before is None else use.before) if here else use.before
                shown = text(tab, f"#l{n} .num")
                assert shown == "None" if held is None else float(shown) == digits(held)
            press(tab, "ArrowRight")


@pytest.mark.parametrize("net", [nets.siamese, nets.create_graph])
def test_back_after_forward_restores_the_page_exactly(tab, at, net):
    at(net, 1)
    states = []
    for _ in range(tab.evaluate("R.length")):
        states.append(tab.evaluate(STATE))
        press(tab, "ArrowRight")
    assert len(set(states)) == len(states)
    for state in reversed(states):
        assert tab.evaluate(STATE) == state
        press(tab, "ArrowLeft")


# ---- keys ----------------------------------------------------------------------------------------------------------------


def test_keys_alone_do_everything(tab, at):
    at(nets.siamese, 1)
    for key, step in [("ArrowRight", 2), ("End", 51), ("ArrowRight", 51), ("ArrowLeft", 50), ("Home", 1), ("ArrowLeft", 1)]:
        press(tab, key)
        assert tab.evaluate("location.hash").endswith(f"&step={step}"), key  # tab.url follows a little later
    rows = tab.locator("#tape button.row:not(.fold)")
    assert rows.count() < 51
    press(tab, "f")
    assert rows.count() == 51
    press(tab, "m")
    assert tab.text_content(".map .now") == "loss"
    press(tab, "m", "/", *"softmax")
    assert text(tab, ".cur .op") == "softmax"
    press(tab, "Escape")
    assert tab.locator("#find").count() == 0


def test_everything_is_reached_by_tab_and_worked_by_enter(tab, at):
    at(nets.mlp, 2)
    fields = "[...document.querySelectorAll('button, select, input')]"
    wanted, reached = set(tab.evaluate(f"{fields}.filter(e => e.offsetParent && !e.disabled).map(e => e.id)")), set()
    for _ in range(len(wanted) + 8):
        press(tab, "Tab")
        reached.add(tab.evaluate("document.activeElement.id"))
    assert wanted <= reached, wanted - reached
    tab.press("#r3", "Enter")
    assert tab.evaluate("location.hash") == "#pass=1&step=4"
    assert tab.evaluate("document.activeElement.id") == "r3"
    tab.press("#l0", "Enter")
    assert "weight.grad:" in text(tab, "#card")
    press(tab, "Escape")
    assert "weight.grad:" not in text(tab, "#card")


def test_predict_asks_before_it_shows(tab, at):
    at(nets.siamese, 1)
    press(tab, "p")
    for i in range(51):
        q, said = tab.evaluate(f"R[{i}].q"), text(tab, "#card")
        assert "Predict before you step" in said
        assert not re.search(r"Is it right\?|The rule for each input", said)
        if q["kind"] == "shape":
            assert q["options"][q["right"]] not in tab.locator("#card .part small").all_inner_texts()
        if q["kind"] == "add":
            assert re.fullmatch(r"\S+\s+\?*", text(tab, f"#l{q['leaf']}").strip())
        press(tab, "ArrowRight")
        assert tab.evaluate("S.step") == i + 1, "no step before the answer"
        press(tab, str((q["right"] + (i % 3 == 0)) % len(q["options"]) + 1))
        said = tab.inner_text("#card")
        assert ("Right" if i % 3 else "Not so") in said
        assert q["why"] in said
        assert "Is it right?" in said
        press(tab, "ArrowRight")
    assert "34 of 51 right" in text(tab, "#who")


# ---- looks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("net", NETS)
def test_nothing_overlaps_or_sticks_out(tab, at, net, size):
    at(net, 1, 1, *size)
    for run in range(tab.evaluate("D.passes.length")):
        n = tab.evaluate(f"D.passes[{run}].rows.length")
        for step in sorted({1, 2, 3, n // 4, n // 2, n - 1, n}):
            for predicts in ("false", "true"):
                tab.evaluate(f"S.predict = {predicts}; S.pass = {run}; R = D.passes[{run}].rows; go({step})")
                assert_in_order(tab, run, step, predicts)


@pytest.mark.parametrize("net, step", [(nets.siamese, 51), (nets.broadcast, 3)])
def test_on_paper_nothing_overlaps_or_is_cut(tab, at, net, step):
    at(net, step, 1, 718, 1000)  # A4 within its margins
    tab.emulate_media(media="print")
    tab.evaluate("render()")
    assert_in_order(tab)
    cut = "[...document.querySelectorAll('section')].filter(e => e.scrollHeight > e.clientHeight).map(e => e.id)"
    assert tab.evaluate(cut) == []


def test_long_names_and_many_dimensions_have_room_and_are_inert(tab, tmp_path):
    class NetWithANameThatIsLongerThanThereIsRoomForAboveTheTape(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder_of_everything_there_is = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 128, 3), nn.ReLU())])
            self.decoder = nn.ModuleDict({"</script><b>\"'&🙂": nn.Linear(128, 5)})

        def forward(self, x):
            x = self.encoder_of_everything_there_is[0](x).mean((2, 3))
            return self.decoder["</script><b>\"'&🙂"](x)

    term = "a term with a name that is rather long </script>{{DATA}}"
    with explore(tmp_path / "tape.html") as page:
        net = NetWithANameThatIsLongerThanThereIsRoomForAboveTheTape()
        page.terms[term] = net(torch.randn(16, 3, 20, 20)).square().mean()
        page.terms[term].backward()
    for size in WIDE, NARROW:
        for step in range(1, 7):
            show(tab, f"{(tmp_path / 'tape.html').as_uri()}#step={step}", *size)
            assert_in_order(tab, size, step)
            if size == WIDE:
                room = tab.evaluate("$('card').clientWidth")
                without = tab.evaluate("$('who').hidden = true, $('card').clientWidth")
                tab.evaluate("$('who').hidden = false")
                assert room == without, "the title takes no room from the card"
    assert tab.locator("b b, img, #card script").count() == 0


@pytest.mark.parametrize("width", [900, 1259, 1260])
def test_between_a_phone_and_a_wide_window_nothing_lies_over_another(tab, tmp_path, width):
    net, x = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)), torch.randn(5, 4)
    with explore(tmp_path / "tape.html"):
        sum(net(x).square().mean() * k for k in range(1, 6)).backward()
    for step in 1, 20, 27:
        show(tab, f"{(tmp_path / 'tape.html').as_uri()}#step={step}", width, 800)
        assert_in_order(tab, (width, 800), step)


def test_a_narrow_window_shows_every_loss_term(tab, tmp_path):
    w = torch.ones(2, requires_grad=True)
    with explore(tmp_path / "tape.html"):
        sum((w * k).sin().sum() for k in range(6)).backward()
    show(tab, f"{(tmp_path / 'tape.html').as_uri()}#step=24", *NARROW)
    assert [row.is_visible() for row in tab.locator(".terms tr").all()] == [True] * 7


def test_light_and_dark_differ_in_colour_alone(tab, at):
    seen = []
    for dark in (False, True):
        at(nets.siamese, 12, dark=dark)
        seen.append(tab.evaluate("[getComputedStyle(document.documentElement).backgroundColor, document.body.innerText]"))
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == seen[1][1]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("step, name", [(12, "compare"), (17, "cat"), (51, "digit, first use")])
def test_the_map_marks_where_the_step_is(tab, at, step, name, size):
    at(nets.siamese, step, 1, *size)
    tab.evaluate("set({map: 1})")
    assert tab.text_content(".map .now").startswith(name)
    assert_in_order(tab)


def test_a_thousand_rules_fold_and_step(tab, tmp_path):
    x = torch.randn(4, 4, requires_grad=True)
    with explore(tmp_path / "tape.html"):
        (nn.Sequential(*(nn.Sequential(nn.Tanh(), nn.ReLU()) for _ in range(499)))(x) * 2).sum().backward()
    show(tab, tmp_path / "tape.html")
    for key, step in [("End", 1000), ("ArrowLeft", 999), ("Home", 1)]:
        press(tab, key)
        assert tab.evaluate("S.step") == step


def test_a_notebook_frame_works(tab, tmp_path):
    block = explore(tmp_path / "tape.html")
    nets.mlp(block)
    (tmp_path / "frame.html").write_text(f"<!doctype html>{block._repr_html_()}", encoding="utf-8")
    show(tab, tmp_path / "frame.html")
    assert "Step 1 of 4" in tab.frame_locator("iframe").locator("#go").inner_text()


@pytest.mark.skipif(axe() is None, reason="no axe-core (pip install axe-core-python, or name an axe.min.js in MINITORCH_AXE)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(tab, at, size, dark):
    for net, step, keys in [(nets.siamese, 12, ""), (nets.siamese, 51, ""), (nets.siamese, 12, "p"), (nets.broadcast, 3, "p2")]:
        at(net, step, 1, *size, dark=dark)
        press(tab, *keys)
        tab.evaluate(axe().read_text(encoding="utf-8") + ";0")
        found = tab.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html)]))")
        assert [v for v in found if v[0] in ("serious", "critical")] == []
