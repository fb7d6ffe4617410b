"""For tests of pages, and for the newcomer's minutes: runs a page's blocks as a reader would."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from .pages import Block, Page

__all__ = ["Runner"]

_VARYING = re.compile(
    r"\d+ programs?|\d+ operations?|(?<=seed=)\d+|\d+(\.\d+)+s?|\d{4}-\d\d-\d\d[T ][\d:.Z+]+"
)
_KEPT = """
state={state}
[ ! -e "$state" ] || . "$state"
trap 'export -p > "$state"; printf "cd %q\\n" "$PWD" >> "$state"' EXIT
"""


class Runner:
    """Runs blocks one after the other in a folder, where a reader's terminal would be.

    What commands export, and the folder that they change to, stay; Python has one namespace.
    watch: is told each block of commands, the seconds that it took and what it printed.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        watch: Callable[[Block, float, str], None] = lambda *_: None,
    ) -> None:
        self.folder, self._watch = folder, watch
        self.printed = ""
        self._state = folder.parent / f"{folder.name}.state"
        self._environment = {**os.environ, **(environment or {})}
        self._module = ModuleType("page")
        self._loop = asyncio.Runner()

    def run(self, page: Page) -> None:
        """Run a page's blocks. Raises AssertionError, with page and line, at one that is wrong."""
        self.folder.mkdir(exist_ok=True)
        if page.folder is not None:
            ignored = shutil.ignore_patterns(".*", "__pycache__")
            shutil.copytree(page.folder, self.folder, dirs_exist_ok=True, ignore=ignored)
        with self._loop:
            for block in page.blocks:
                self._run(page, block)

    def _run(self, page: Page, block: Block) -> None:
        where = f"{page.path.name}:{block.line}"
        if block.word == "file":
            self._write(block, where)
        elif block.word == "edit":
            self._edit(block, where)
        elif block.word == "output":
            self._compare(block, where)
        elif block.runs and block.language == "sh":
            self._shell(block, where)
        elif block.runs:
            self._python(page, block)

    def _write(self, block: Block, where: str) -> None:
        path = self.folder / block.argument
        same = not path.exists() or path.read_text("utf-8") == block.text
        assert same, f"{where}: {block.argument} is not what the page shows"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")

    def _edit(self, block: Block, where: str) -> None:
        path = self.folder / block.argument
        lines = block.text.splitlines(keepends=True)
        old = "".join(each[1:] for each in lines if not each.startswith("+"))
        new = "".join(each[1:] for each in lines if not each.startswith("-"))
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{where}: {block.argument} does not have the lines to change"
        path.write_text(text.replace(old, new), "utf-8")

    def _compare(self, block: Block, where: str) -> None:
        printed = _lines(self.printed)
        for part in re.split(r"^\s*…$", block.text, flags=re.MULTILINE):
            shown = _lines(part)
            at = _find(shown, printed)
            told = f"{where}: this was not printed:\n{part}\nbut this was:\n{self.printed}"
            assert at is not None, told
            printed = printed[at + len(shown) :]

    def _shell(self, block: Block, where: str) -> None:
        began = time.perf_counter()
        script = _KEPT.format(state=self._state) + "set -euo pipefail\n" + block.text
        done = subprocess.run(  # noqa: S603 - the commands are this repository's own
            ["bash", "-c", script],  # noqa: S607 - bash is where PATH has it
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.printed = done.stdout
        self._watch(block, time.perf_counter() - began, done.stdout)
        self.folder = self._folder_now()
        expected = block.argument if block.word == "exit" else "0"
        told = f"{where}: exit status {done.returncode} for {expected}\n{block.text}{done.stdout}"
        assert str(done.returncode) in expected.split("|"), told

    def _folder_now(self) -> Path:
        last = self._state.read_text("utf-8").splitlines()[-1]
        return Path(last.removeprefix("cd ").replace("\\", ""))

    def _python(self, page: Page, block: Block) -> None:
        source = "\n" * (block.line - 1) + block.text
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, page.path, "exec", flags=flags, dont_inherit=True)
        printed = io.StringIO()
        sys.modules["page"] = self._module
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
                result = eval(code, vars(self._module))  # noqa: S307 - this repository's own
                if inspect.iscoroutine(result):
                    self._loop.run(result)
        finally:
            del sys.modules["page"]
            self.printed = printed.getvalue()


def _lines(text: str) -> list[str]:
    """Give the lines that are not empty, without what differs from run to run."""
    lines = (_VARYING.sub("#", each).strip() for each in text.splitlines())
    return [re.sub(r"[=─-]{5,}", "-----", re.sub(r" +", " ", each)) for each in lines if each]


def _find(shown: list[str], printed: list[str]) -> int | None:
    places = range(len(printed) - len(shown) + 1)
    return next((at for at in places if all(map(_is, shown, printed[at:]))), None)


def _is(shown: str, printed: str) -> bool:
    return shown == printed or (shown.endswith("…") and printed.startswith(shown[:-1].strip()))
