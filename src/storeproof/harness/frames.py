"""The plugin cuts tracebacks here: people see the frames of their own code, not of the harness."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any

import _pytest

__all__ = ["without_our_first_frames", "without_our_frames"]

_OURS = (Path(__file__).parent, Path(asyncio.__file__).parent, Path(_pytest.__file__).parent)


def without_our_frames(excinfo: Any) -> Any:
    """Give a pytest ExceptionInfo's traceback without the harness, pytest and the event loop."""
    return excinfo.traceback.filter(lambda entry: not _is_ours(str(entry.path)))


def without_our_first_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Give a traceback from the first frame that is none of these."""
    while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback


def _is_ours(file: str) -> bool:
    return file.startswith("<frozen") or any(Path(file).is_relative_to(each) for each in _OURS)
