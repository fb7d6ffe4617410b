"""The embedded PostgreSQL server gets its data here: a new cluster, made by initdb once a run."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

__all__ = ["create_cluster"]

INITDB_SECONDS: Final = 60
DATA: Final = "data"
PASSWORD: Final = "password"  # noqa: S105 - a file's name


def create_cluster(home: Path, directory: Path, template: Path | None, how: dict[str, Any]) -> str:
    """Put a new database cluster into the directory's `data`; give its user's password.

    template: a folder that need not exist yet, where the cluster is kept before a server touches
    it; copying that takes a fifth of what initdb does. Clusters of one template have one password.
    how: what `subprocess` is given beside the command, such as the user.

    Raises OSError, CalledProcessError or TimeoutExpired.
    """
    if template is not None and template.exists():
        _copy(template, directory, how)
        return (template / PASSWORD).read_text()
    password = secrets.token_urlsafe(16)
    _initialise(home, directory, password, how)
    if template is not None:
        _keep(directory, template, password)
    return password


def _initialise(home: Path, directory: Path, password: str, how: dict[str, Any]) -> None:
    secret = directory / PASSWORD
    secret.write_text(password)
    if "user" in how:
        shutil.chown(secret, how["user"])
    # One iteration: the password is random and lives as long as the run, logging in is frequent.
    options = ["--auth=scram-sha-256", "--set", "scram_iterations=1", "--encoding=UTF8"]
    options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--no-sync", "--no-instructions", "--username=storeproof"]
    subprocess.run(  # noqa: S603 - the wheel's own program, no shell
        [home / "bin" / "initdb", "-D", directory / DATA, f"--pwfile={secret}", *options],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=INITDB_SECONDS,
        **how,
    )
    secret.unlink()


def _keep(directory: Path, template: Path, password: str) -> None:
    kept = Path(tempfile.mkdtemp(dir=template.parent))
    shutil.copytree(directory / DATA, kept / DATA)
    (kept / PASSWORD).write_text(password)
    try:
        kept.rename(template)
    except OSError:  # another worker was faster
        shutil.rmtree(kept)


def _copy(template: Path, directory: Path, how: dict[str, Any]) -> None:
    data = directory / DATA
    shutil.copytree(template / DATA, data)
    if "user" in how:
        for path in (data, *data.rglob("*")):
            shutil.chown(path, how["user"])
