"""For mkdocstrings, which asks Python what is in a module. Python gives a plain attribute the documentation of its type."""

from __future__ import annotations

from typing import Any

import griffe


class PlainAttributes(griffe.Extension):
    """Takes the documentation of `dict` from an attribute that is a dictionary, and so on; properties keep their own."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        if "property" not in attr.labels:
            attr.docstring = None
