"""The examples' figures follow the measure, errors or accuracies, leave out no net, and say how many runs they show."""

import matplotlib.pyplot as plt
import pytest

from runner.figures import COLOURS, boxplot, learning_curves, train_and_test
from runner.results import heading
from runner.search_tables import verdict


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def results(nets: int = 2, lower_is_better: bool = True, reported: float | None = 25.0) -> dict:
    """Results of `nets` nets, two runs of three epochs each, as `results.json` holds them."""
    name = "error" if lower_is_better else "accuracy"
    errors = [40.0, 30.0, 20.0]
    run = {"train_loss": [3.0, 2.0, 1.0], "train_error": [39.0, 9.0, 1.0], "test_error": errors}
    run[name] = errors[-1] if lower_is_better else 100 - errors[-1]
    net = {"reported": {name: {"mean": reported, "std": None}} if reported else {}, "runs": [run, run]}
    return {
        "report": "006",
        "data": {"name": "made-up digits", "comparable": True},
        "settings": {"runs": 2, "epochs": 3},
        "measures": [{"name": name, "unit": "%", "lower_is_better": lower_is_better}],
        "nets": [{"name": f"alpha = {i}", **net} for i in range(nets)],
    }


@pytest.mark.parametrize(("lower_is_better", "word", "last"), [(True, "error", 20.0), (False, "accuracy", 80.0)])
def test_learning_curves_show_what_is_measured(lower_is_better, word, last):
    figure = learning_curves(results(lower_is_better=lower_is_better))
    right = figure.axes[1]
    assert right.get_ylabel() == f"test {word} (%)"
    bold = [line for line in right.lines if line.get_label() == "alpha = 0"]
    assert [line.get_ydata()[-1] for line in bold] == [last]
    assert right.get_ylim()[0] <= last <= right.get_ylim()[1]
    assert f"reported {word}" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_reported_line_is_in_the_legend_only_where_it_is_drawn():
    figure = learning_curves(results(reported=None))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["alpha = 0", "alpha = 1"]


def test_more_nets_than_colours_are_refused_rather_than_left_out():
    with pytest.raises(ValueError, match=f"{len(COLOURS) + 1} nets in {len(COLOURS)} colours"):
        learning_curves(results(len(COLOURS) + 1))


@pytest.mark.parametrize("nets", range(1, 8))
def test_train_and_test_errors_have_a_panel_for_each_net(nets):
    figure = train_and_test(results(nets))
    assert [axes.get_title() for axes in figure.axes] == [f"alpha = {i}" for i in range(nets)]
    assert figure.axes[0].get_ylabel() == "error (%)"
    assert figure.axes[-1].get_xlabel() == "epoch"
    for axes in figure.axes:
        drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert list(drawn["training pairs"]) == [39.0, 9.0, 1.0]
        assert list(drawn["test pairs"]) == [40.0, 30.0, 20.0]
        assert set(drawn["reported test error"]) == {25.0}


def test_a_box_plot_draws_the_points_of_every_net():
    axes = boxplot(results(len(COLOURS) + 2)).axes[0]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in points] == [[20.0, 20.0]] * (len(COLOURS) + 2)
    assert axes.get_ylabel() == "test error (%)"


def test_a_box_plot_over_a_quantity_names_it_once_and_has_one_colour():
    axes = boxplot(results(3), quantity="auxiliary factor").axes[0]
    assert axes.get_xlabel() == "auxiliary factor"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2"]
    assert len({line.get_color() for line in axes.lines if line.get_marker() == "o"}) == 1


@pytest.mark.parametrize(
    ("runs", "epochs", "said"), [(1, 1, "1 run of 1 epoch"), (1, 3, "1 run of 3 epochs"), (15, 1, "15 runs of 1 epoch")]
)
def test_captions_and_tables_say_one_run_and_several_runs(runs, epochs, said):
    found = results() | {"settings": {"runs": runs, "epochs": epochs, "seed": 0}, "title": "two nets", "notes": ""}
    assert boxplot(found).get_supxlabel().startswith(f"Report 006 on made-up digits: {said}. ")
    assert f" over {said} from seed 0, on made-up digits." in heading(found)


@pytest.mark.parametrize(("runs", "said"), [(1, "1 run"), (2, "2 runs")])
def test_a_verdict_says_in_how_many_runs_a_search_was_the_better(runs, said):
    found = results()
    nets = [{"name": name, "runs": net["runs"][:runs]} for name, net in zip(("genetic search", "grid search"), found["nets"])]
    assert verdict(found | {"nets": nets}).endswith(f"is the better one in 0 of {said}.")
