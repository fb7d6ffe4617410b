"""The plugin saves the programs of failures here, and reads them again for a replay."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.exceptions import ReplayError

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.program import Program

__all__ = ["NAMES", "SavedProgram", "read_json", "read_saved", "save_program"]

NAMES = ("contract", "backend", "check")
"""What a saved program says of itself, beside its steps."""


@dataclass(frozen=True)
class SavedProgram:
    """A program in a file, with the contract, the backend and the check that it broke."""

    path: Path
    contract: str
    backend: str
    check: str

    def program(self, contract: Contract) -> Program:
        """Read the program itself.

        Raises ReplayError where it does not fit the contract.
        """
        from storeproof.harness.program import load_program

        return load_program(contract, self.path)


def save_program(directory: Path, data: dict[str, Any]) -> Path:
    """Write a program under a name made of what it breaks and of its content.

    data: the program as JSON data, with the contract, the backend and the check that it breaks.

    Raises OSError where the file can't be written.
    """
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    names = (re.sub(r"[^\w.]+", "_", data[key]) for key in NAMES)
    path = directory / f"{'-'.join(names)}-{digest}.json"
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", errors="surrogatepass")
    return path


def read_saved(path: Path) -> SavedProgram:
    """Read what a saved program is about; the program itself is read once its contract is known.

    Raises ReplayError where the file is missing, is no program, or does not say what it breaks.
    """
    data = read_json(path)
    names = [data.get(key) for key in NAMES]
    if not all(isinstance(each, str) and each for each in names):
        raise ReplayError(path, "it does not say which contract, backend and check it breaks")
    return SavedProgram(path, *map(str, names))


def read_json(path: Path) -> dict[str, Any]:
    """Read a program's file, without a contract.

    Raises ReplayError where the file is missing or is no program.
    """
    try:
        data = json.loads(path.read_text("utf-8", errors="surrogatepass"))
    except OSError as error:
        raise ReplayError(path, error.strerror or str(error)) from None
    except ValueError as error:
        raise ReplayError(path, f"it is not JSON ({error})") from None
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        raise ReplayError(path, "it is not a program that storeproof saved")
    return data
