"""mkdocstrings loads this: docstrings have lines `name: meaning`, which Markdown would join."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

__all__ = ["Lists"]

_ENTRY = re.compile(r"^(\S[^:\n]*?): (.+(?:\n {4}\S.*)*)", re.MULTILINE)


class Lists(Extension):
    """Makes a list of a paragraph in which every line is `name: meaning`, or goes on with one."""

    def on_object(self, *, obj: Object, **_kwargs: Any) -> None:
        """Rewrite an object's docstring."""
        if obj.docstring is not None:
            parts = obj.docstring.value.split("\n\n")
            obj.docstring.value = "\n\n".join(map(_as_list, parts))


def _as_list(paragraph: str) -> str:
    rest = _ENTRY.sub("", paragraph).strip()
    if rest:
        return paragraph
    return _ENTRY.sub(lambda found: f"- `{found[1]}`: {found[2]}", paragraph)
