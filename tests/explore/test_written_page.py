"""The page that the explorer writes: its data, its pieces, and its size."""

import json
import re

import numpy as np
import pytest

import layers as nn
import minitorch as torch
from minitorch.explorer import explore
from minitorch.explorer.data import lanes, layered
from minitorch.explorer.proof import COMPLEX
from tests.explore.nets import NETS, broadcast, mlp, no_backward, recurrent, siamese, two_passes
from tests.explore.test_explore import WITH_A_PASS, Recording, page, proof_of, texts, written


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
