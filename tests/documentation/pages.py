"""For tests of pages: the fenced blocks of a page, with what the marker before each one says.

A marker is an HTML comment on the line before the block:

    <!-- ci:folder PATH -->     (anywhere) the page's blocks run in a copy of this folder
    <!-- ci:file NAME -->       the block is a file; if there is one of this name, it is the same
    <!-- ci:edit NAME -->       a diff: lines of this file become others
    <!-- ci:output -->          what the block before it printed; … stands for other lines, or for
                                the rest of a line
    <!-- ci:exit STATUS -->     commands that end with this status, or with one of several: 0|1
    <!-- ci:step NAME -->       a command that .ci/run runs under this name
    <!-- ci:unrun REASON -->    not run, for this reason

Blocks of Python and of shells' commands are run unless a marker says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "Page"]

ROOT = Path(__file__).parents[2]
_TAKES_AN_ARGUMENT = {
    "output": False,
    **dict.fromkeys(("file", "edit", "exit", "step", "unrun"), True),
}
_FENCED = re.compile(
    r"(?:^<!-- ci:(?P<word>(?!folder)[\w-]+)(?: (?P<argument>[^\n]*?))? -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_FOLDER = re.compile(r"^<!-- ci:folder (\S+) -->$", re.MULTILINE)
_MARKER = re.compile(r"^ *<!-- *ci:", re.MULTILINE)
_INDENTED = re.compile(r"(?:^|\n\n)(?! *[-*\d])\S[^\n]*(?:\n[^\n]+)*\n\n {4}\S[^\n]*")


@dataclass(frozen=True)
class Block:
    """A fenced block: its marker's word and argument (empty where there is none) and its text."""

    word: str
    argument: str
    language: str
    text: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether its text is executed."""
        return self.word in ("", "exit") and self.language in ("python", "sh")


@dataclass(frozen=True)
class Page:
    """A page of Markdown."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        """Give the blocks in their order. Raises AssertionError for a marker that says nothing."""
        text = self.text
        found = [self._block(text, each) for each in _FENCED.finditer(text)]
        marked = sum(bool(each.word) for each in found) + len(_FOLDER.findall(text))
        assert marked == len(_MARKER.findall(text)), f"{self.path.name}: a marker before no block"
        return found

    def _block(self, text: str, found: re.Match[str]) -> Block:
        line = text.count("\n", 0, found.start("text")) + 1
        word, argument = found["word"] or "", found["argument"] or ""
        known = not word or _TAKES_AN_ARGUMENT.get(word) is bool(argument)
        assert known, f"{self.path.name}:{line}: no marker is like ci:{word} {argument}"
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        return Block(word, argument, found["language"], text, line)

    def only(self, word: str, argument: str = "") -> Block:
        """Give the one block that is marked so."""
        found = [each for each in self.blocks if (each.word, each.argument) == (word, argument)]
        assert len(found) == 1, f"{self.path.name} has {len(found)} blocks ci:{word} {argument}"
        return found[0]

    @property
    def folder(self) -> Path | None:
        """The folder of the repository of which a copy is where the blocks run."""
        found = _FOLDER.search(self.text)
        return ROOT / found[1] if found else None

    @property
    def indented(self) -> list[str]:
        """Give blocks that are indented, not fenced: nobody can mark them."""
        return [each.strip() for each in _INDENTED.findall(_FENCED.sub("", self.text))]
