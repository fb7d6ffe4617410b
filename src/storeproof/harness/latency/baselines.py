"""`storeproof bench --baseline git:main` or `pypi:1.2.0` gets that version from here."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from storeproof.harness.exceptions import HarnessError

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["NoBaseline", "version"]


class NoBaseline(HarnessError):
    """A version that is to be compared with can't be had."""

    def __init__(self, baseline: str, problem: str) -> None:
        self.baseline, self.problem = baseline, problem
        super().__init__(
            f"the baseline {baseline!r} can't be had: {problem}. "
            "Give git:REF, pypi:VERSION, or the name of a backend"
        )


@contextmanager
def version(baseline: str, contract: Contract) -> Iterator[Path]:
    """Give a folder from which another version of a contract's package is imported, for a block.

    git:REF is the package's source at a commit, as its repository has it; pypi:VERSION is what
    pip installs, without what it needs.

    Raises NoBaseline.
    """
    kind, _, name = baseline.partition(":")
    package = contract.protocol.__module__.partition(".")[0]
    with tempfile.TemporaryDirectory(prefix="storeproof-baseline-") as folder:
        if kind == "git" and name:
            yield _from_git(baseline, name, package, Path(folder))
        elif kind == "pypi" and name:
            yield _from_index(baseline, name, package, Path(folder))
        else:
            raise NoBaseline(baseline, "it is neither a version nor a backend")


def _from_git(baseline: str, ref: str, package: str, folder: Path) -> Path:
    place = Path(str(sys.modules[package].__file__)).parent.parent
    top = _ran(baseline, "git", "-C", str(place), "rev-parse", "--show-toplevel").decode().strip()
    packed = _ran(baseline, "git", "-C", top, "archive", "--end-of-options", ref)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    found = folder / place.relative_to(Path(top).resolve())
    if not any(found.glob(f"{package}*")):
        raise NoBaseline(baseline, f"there is no package {package} in that commit")
    return found


def _from_index(baseline: str, number: str, package: str, folder: Path) -> Path:
    names = metadata.packages_distributions().get(package, [])
    if not names:
        raise NoBaseline(baseline, f"no distribution is known to hold the package {package}")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input")
    _ran(baseline, *pip, "--target", str(folder), f"{names[0]}=={number}")
    return folder


def _ran(baseline: str, *command: str) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell
    except OSError as error:
        raise NoBaseline(baseline, f"{command[0]} can't be run: {error.strerror}") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoBaseline(baseline, lines[-1] if lines else f"{command[0]} failed")
    return done.stdout
