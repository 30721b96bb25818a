"""The nets of the five reports in minitorch, which come from the examples together with their recipes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

SCRIPTS = {
    "000": "fully_connected",
    "001": "weight_sharing",
    "002": "classify_then_compare",
    "003": "siamese",
    "004": "double_nets",
}


def training(name: str, device: str) -> tuple[Any, Any, Callable[..., Any]]:
    """A net on the device, its optimizer, and its loss function, loss(outputs, targets, classes)."""
    number, own_name = name.split(" ", 1)
    script = importlib.import_module(SCRIPTS[number])
    net = next(net for net in script.REPORT.nets if net.name == own_name)
    model = net.build().to(device)
    optimizer, loss = RECIPES[number](script, model, net.options)
    return model, optimizer, loss


def report_000(script: Any, model: Any, options: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """Adam with the net's learning rate, and the loss with the digits' share."""
    optimizer = script.OPTIMIZERS["Adam"](model.parameters(), lr=options.get("rate", script.RATE))
    return optimizer, partial(script.total_loss, alpha=options.get("alpha", 0))


def report_001(script: Any, model: Any, options: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """SGD with weight decay, and the weighted sum of both losses."""
    tuned = {**script.TUNED, **options}
    optimizer = script.optim.SGD(model.parameters(), lr=tuned["eta1"], weight_decay=script.WEIGHT_DECAY)
    return optimizer, partial(script.total_loss, alpha=tuned["alpha"], gamma=tuned["gamma"])


def report_002(script: Any, model: Any, options: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """The optimizer of the net's kind, and the loss for the classes, which are the targets of single digits."""
    return script.RECIPES[type(model)].optimizer(model.parameters()), lambda outputs, targets, _: script.loss(outputs, targets)


def report_003(script: Any, model: Any, options: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """Adam with the net's learning rate, and the sum of all losses."""
    return script.OPTIMIZERS["Adam"](model.parameters(), lr=options["lr"]), script.total_loss


def report_004(script: Any, model: Any, options: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """The optimizer, learning rate and losses of the net's point in the search."""
    optimizer = script.OPTIMIZERS[options["optimizer"]](model.parameters(), lr=options["learning rate"])
    return optimizer, partial(script.loss, options)


RECIPES = {"000": report_000, "001": report_001, "002": report_002, "003": report_003, "004": report_004}
