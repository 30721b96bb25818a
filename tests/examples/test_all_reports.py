"""The page of all reports: every table and figure on it, verdicts that follow from the figures, and conclusions in words."""

import json
import math
import re

import all_reports
import pytest
import weight_sharing
from all_reports import _as_html, advantage, conclusions, flatness, page, run_all, said, standard_error, verdicts

from runner import main


def net(name: str, mean: float, std: float | None, reported: dict | None = None, runs: int = 4) -> dict:
    errors = [mean + (std or 0) * (-1) ** i for i in range(runs)]
    return {
        "name": name,
        "attained": {"error": {"mean": mean, "std": std}},
        "reported": reported or {},
        "runs": [{"error": error} for error in errors],
    }


def results(*nets: dict) -> dict:
    return {"report": "000", "measures": [{"name": "error", "unit": "%", "lower_is_better": True}], "nets": list(nets)}


@pytest.mark.parametrize(
    ("mean", "std", "word"),
    [
        (5.0, 1.0, "as reported"),
        (5.9, 1.0, "as reported"),
        (6.1, 1.0, "worse than reported"),
        (3.9, 1.0, "better than reported"),
        (5.9, None, "as reported"),
        (6.1, None, "worse than reported"),
    ],
)
def test_a_figure_is_as_reported_within_one_reported_deviation_or_else_two_standard_errors(mean, std, word):
    (line,) = verdicts(results(net("A", mean, 1.0, {"error": {"mean": 5.0, "std": std}})))
    assert line.endswith(f"**{word}**.")


def test_a_net_without_a_reported_figure_has_no_verdict():
    assert verdicts(results(net("A", 5.0, 1.0))) == []


def with_errors(name: str, *errors: float) -> dict:
    return {"name": name, "runs": [{"error": error} for error in errors]}


def test_an_advantage_is_that_of_runs_on_the_same_pairs_told_from_none_by_two_standard_errors():
    hard_and_easy = results(with_errors("good", 2.0, 12.0, 22.0), with_errors("bad", 5.0, 16.0, 27.0))
    assert advantage(hard_and_easy, "good", "bad") == (4.0, pytest.approx(1 / 3**0.5))
    assert "“good” beats “bad” (+4.00 ± 0.58 points, report 000)" in said(hard_and_easy, "good", "bad")
    assert "“bad” loses to “good” (-4.00" in said(hard_and_easy, "bad", "good")
    either = results(with_errors("one", 2.0, 5.0, 3.0), with_errors("other", 3.0, 2.0, 4.0))
    assert "“one” cannot be told from “other”" in said(either, "one", "other")


def test_a_single_run_tells_nothing():
    assert standard_error({"std": None}, 1) == math.inf
    assert "cannot be told from" in said(results(with_errors("one", 1.0), with_errors("other", 50.0)), "one", "other")


def test_a_factor_is_flat_where_its_means_differ_by_less_than_single_runs_do():
    text = flatness(results(*(net(f"alpha = {i / 10}", mean, 1.0) for i, mean in enumerate([9.0, 6.9, 6.5, 6.0]))))
    assert text.startswith("From alpha = 0.1 to alpha = 0.3: the mean error is 6.00 to 6.90 % there")
    assert "it is 9.00 % at alpha = 0.0 " in text
    assert flatness(results(net("a", 1.0, 0.1), net("b", 2.0, 0.1), net("c", 3.0, 0.1))).startswith("Nowhere")


def test_the_page_has_every_table_and_figure_and_no_conclusion_about_other_digits(tmp_path, monkeypatch):
    monkeypatch.setattr(all_reports, "SCRIPTS", [weight_sharing])
    small = ["--quick", "--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "1"]
    run_all([*small, "--out", str(tmp_path / "out"), "--page", str(tmp_path / "page")])
    text, page = ((tmp_path / "page" / name).read_text() for name in ("README.md", "reports.html"))
    assert "what they say about the reports' conclusions is not written here" in text
    for job in ("weight_sharing", "weight_sharing-grid-search"):
        folder = tmp_path / "out/quick" / job
        assert (folder / "table.md").read_text().strip() in text
        assert f"| {job} | UCI digits (not MNIST) | 1 | 1 | 0 | " in text
        for figure in folder.glob("*.png"):
            assert f"]({job}/{figure.name})" in text
            assert (tmp_path / "page" / job / figure.name).read_bytes() == figure.read_bytes()
    assert text.count("![") == page.count('src="data:image/png;base64,') == 3
    assert json.loads((tmp_path / "out/quick/weight_sharing/results.json").read_text())["versions"]["numpy"] in text


def test_a_conclusion_is_drawn_where_its_jobs_have_been_run():
    assert conclusions({}) == []
    (line,) = conclusions(
        {"fully_connected": results(net("LeNet5, argmax", 3.0, 1.0), net("LeNet5 + auxiliary loss", 9.0, 1.0))}
    )
    assert line.startswith("Does learned comparison lose to argmax? “LeNet5, argmax” beats “LeNet5 + auxiliary loss” (+6.00")


def test_a_job_that_was_not_run_is_named_on_the_page_and_one_that_an_earlier_page_has_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(all_reports, "SCRIPTS", [weight_sharing])
    small = [
        "--quick",
        "--data",
        "digits",
        "--runs",
        "1",
        "--epochs",
        "1",
        "--jobs",
        "1",
        "--out",
        str(tmp_path / "weight_sharing"),
    ]
    main(weight_sharing.REPORT, small)
    text = page(tmp_path, tmp_path / "page")[0].read_text()
    assert "**Not run for this page:** weight_sharing-grid-search." in text
    assert "## Report 001" in text and "grid search on a fifth" not in text
    assert page(tmp_path / "nothing", tmp_path / "page")[0].read_text() == text, "what an earlier page has stays"


def test_the_page_shows_markup_in_names_as_text_and_no_file_from_outside_its_folder(tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "page/link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "page/own.png").write_bytes(b"own")
    text = """# <script>alert(1)</script>

| net | <img src=x onerror=alert(1)> |
| --- | --- |
| a <b>c</b> | [a link](javascript:alert(1)) |

<div onclick="alert(1)">text</div>

![one](../secret.png) ![two](link.png) ![three "<](own.png) ![four](/etc/passwd) ![five](own.png "title")
"""
    page = _as_html(text, tmp_path / "page")
    body = page[page.index("</style>") :]
    assert not re.search("<(script|b|div)|<[^>]*on(error|click)|javascript:", body)
    assert body.count("<img") == body.count("data:image/png;base64,b3du") == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
