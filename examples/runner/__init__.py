"""What the five reports share: seeded runs in processes, results on disk, tables and figures.

A report is one script: its nets, its recipe, and a `Report` that names them.

    def train(net, train_pairs, test_pairs, epochs, device) -> History: ...

    REPORT = Report(number="006", title=..., nets=[Net("My net", MyNet, ...)], train=train, runs=15, epochs=50)

    if __name__ == "__main__":
        main(REPORT)

`main` reads the command line, runs every net `runs` times from seeds of their own, keeps each finished run on disk so that a
stopped job can go on, and writes `results.json`, `table.md` and the figures. A further study of the report is a `Report` of its
own under `studies`, or, where tasks depend on earlier results as in a search, a function of the `Job`.
"""

from runner.command import main
from runner.job import Job, Task
from runner.report import ACCURACY, ERROR, History, Measure, Net, Report
from runner.training import error_rate, evaluate, fit, tensors

__all__ = [
    "ACCURACY",
    "ERROR",
    "History",
    "Job",
    "Measure",
    "Net",
    "Report",
    "Task",
    "error_rate",
    "evaluate",
    "fit",
    "main",
    "tensors",
]
