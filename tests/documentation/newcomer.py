"""CI runs this: the tutorial as a new user follows it, in an empty folder, with the built wheel.

`python -m documentation.newcomer` (`tox -e newcomer`) prints what the user sees, and the seconds
that the machine took. A busy machine is no reason to fail: only ten minutes are.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from .pages import ROOT, Block, Page
from .running import Runner

__all__ = ["main"]

MOST = 600.0
"""Seconds."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel that an index would have."""
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    return next(folder.glob("*.whl"))


def environment(folder: Path, wheel: Path) -> dict[str, str]:
    """Let pip find the wheel beside what the index has, and hide what surrounds this."""
    version = wheel.name.split("-")[1]
    constraints = folder / "constraints.txt"
    constraints.write_text(f"storeproof=={version}\n", "utf-8")
    return {
        "PIP_CONSTRAINT": str(constraints),
        "PIP_FIND_LINKS": str(folder),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONPATH": "",
        "PYTEST_ADDOPTS": "",
    }


def processor_seconds() -> float:
    """Give what all commands so far took of a processor, whatever else ran beside them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Follow the tutorial. Raises AssertionError where it is wrong."""
    spent = []

    def watch(block: Block, seconds: float, printed: str) -> None:
        spent.append(seconds)
        commands = "".join(f"$ {line}\n" for line in block.text.splitlines())
        print(f"{commands}{printed}--- {seconds:.1f} s\n", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        before = processor_seconds()
        runner = Runner(folder / "empty", environment(folder, wheel), watch)
        runner.run(Page(ROOT / "docs" / "tutorial.md"))
    busy = processor_seconds() - before
    print(f"The tutorial is right. It took {sum(spent):.0f} s, of a processor {busy:.0f}.")
    assert sum(spent) < MOST


if __name__ == "__main__":
    main()
