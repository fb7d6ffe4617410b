"""The plugin reads pytest's options into `Settings` here; nobody else needs this.

Every controller of pytest-xdist loads this module, so it imports nothing heavy.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.outputs import Outputs

if TYPE_CHECKING:
    import pytest

__all__ = ["OUTPUTS", "Settings", "read_settings", "worker_input"]

_VIEWS = ("html", "markdown", "badge")
OUTPUTS = ("storage_report", *(f"storage_{view}" for view in _VIEWS))
"""The options, as pytest names them, that ask for a file."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run was asked for."""

    storage: str | None
    """The backends' names, as `--storage` gives them."""
    usual_storage: str | None
    """As the ini file gives them."""
    asked: str
    """The option of the command line that asks for suites; empty where there is none."""
    command: str
    """What repeats the run, less options of other plugins and URLs."""
    profile: str
    seed: int
    directory: Path
    """This run's own, shared by its workers, removed at its end."""
    root: Path
    outputs: Outputs
    replay: Path | None
    known_failures: tuple[Path, ...]
    partial: bool
    laws: str
    """The version of the laws that the run is pinned to; empty where all of them count."""
    replay_command: str
    """What runs a saved program, whose path follows; empty where pytest does, on the node."""
    postgres_url: str | None
    postgres_image: str | None

    @property
    def programs(self) -> Path:
        """Where the programs of failures are saved."""
        return self.root / ".storeproof" / "programs"


def read_settings(config: pytest.Config) -> Settings:
    """Read the options, the ini file and the environment."""
    option, inputs = config.option, worker_input(config)
    here = config.invocation_params.dir
    seed = inputs.get("seed", _seed(option.storage_seed))
    return Settings(
        storage=option.storage,
        usual_storage=config.getini("storage") or None,
        asked=_asked(config),
        command=option.storage_command or _command(option, seed),
        profile=option.storage_profile,
        seed=seed,
        directory=Path(inputs["directory"]) if inputs else _directory(config),
        root=config.rootpath,
        outputs=_outputs(config),
        replay=_absolute(here, option.storage_replay),
        known_failures=_known_failures(config),
        partial=option.storage_partial,
        laws=option.storage_laws or config.getini("storage_laws"),
        replay_command=f"{option.storage_command} --replay" if option.storage_command else "",
        postgres_url=option.storage_postgres_url or os.environ.get("STOREPROOF_POSTGRES_URL"),
        postgres_image=option.storage_postgres_image or os.environ.get("STOREPROOF_POSTGRES_IMAGE"),
    )


def worker_input(config: pytest.Config) -> dict[str, Any]:
    """Give what the controller tells this pytest-xdist worker; empty outside one."""
    found: dict[str, Any] = getattr(config, "workerinput", {}).get("storeproof", {})
    return found


def _asked(config: pytest.Config) -> str:
    outputs = (f"--{each.replace('_', '-')}" for each in OUTPUTS)
    names = ("--storage", "--storage-replay", *outputs)
    given = (str(each) for each in config.invocation_params.args)
    return next((each for each in given if each.partition("=")[0] in names), "")


def _command(option: Any, seed: int) -> str:
    """Write a command line that repeats the run; a server's URL may hold a password."""
    short = [("-c", option.inifilename), ("-k", option.keyword), ("-m", option.markexpr)]
    long = [
        *(("--deselect", each) for each in option.deselect or ()),
        ("--storage", option.storage),
        ("--storage-profile", option.storage_profile),
        ("--storage-seed", str(seed)),
        ("--storage-laws", option.storage_laws),
        ("--storage-postgres-image", option.storage_postgres_image),
        *(("--storage-known-failures", each) for each in option.storage_known_failures),
    ]
    words = [word for pair in short if pair[1] for word in pair]
    words += [f"{name}={value}" for name, value in long if value]
    partial = ["--storage-partial"] if option.storage_partial else []
    return shlex.join(["pytest", *option.file_or_dir, *words, *partial])


def _seed(given: int | None) -> int:
    return secrets.randbelow(2**32) if given is None else given


def _directory(config: pytest.Config) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="storeproof-"))
    config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
    return directory


def _outputs(config: pytest.Config) -> Outputs:
    here, option = config.invocation_params.dir, config.option
    given = {view: _absolute(here, getattr(option, f"storage_{view}")) for view in _VIEWS}
    return Outputs(
        report=_absolute(here, option.storage_report),
        views={view: path for view, path in given.items() if path is not None},
        job_summary=_absolute(here, os.environ.get("GITHUB_STEP_SUMMARY")),
    )


def _absolute(here: Path, given: str | None) -> Path | None:
    return None if given is None else here / given


def _known_failures(config: pytest.Config) -> tuple[Path, ...]:
    here = config.invocation_params.dir
    given = [here / each for each in config.option.storage_known_failures]
    return (*config.getini("storage_known_failures"), *given)
