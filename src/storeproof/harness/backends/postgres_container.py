"""The PostgreSQL backend starts a container here, through testcontainers and a Docker engine."""

from __future__ import annotations

import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from storeproof.harness.backends.ending import free_ports
from storeproof.harness.backends.postgres_connection import run_apart, session
from storeproof.harness.backends.postgres_embedded import (
    CRASH_SETTINGS,
    SPEED_SETTINGS,
)
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable

__all__ = ["DEFAULT_IMAGE", "EngineMissing", "ImageMissing", "PostgresContainer", "start_container"]

DEFAULT_IMAGE: Final = "postgres:17"
ENGINE_SECONDS: Final = 3
READY_SECONDS: Final = 60
PORT: Final = 5432
LOOPBACK: Final = ("localhost", "127.0.0.1")


class EngineMissing(Exception):
    """No Docker engine can be used."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__("no Docker engine answers")


class ImageMissing(Exception):
    """The engine answers but can't make a container of the image."""

    def __init__(self, image: str, reason: str, remedy: str) -> None:
        self.image, self.reason, self.remedy = image, reason, remedy
        super().__init__(f"Docker answers but the image {image} can't be had")


@dataclass(frozen=True)
class PostgresContainer:
    """A running container; `stop` removes it with its data."""

    url: PostgresUrl
    container: Any
    image: str

    def kill(self) -> None:
        """End all of its processes at once, as nothing but a crash does."""
        wrapped = self.container.get_wrapped_container()
        wrapped.kill()
        wrapped.wait()

    def restart(self) -> None:
        """Start it again on its port and data.

        Raises BackendUnavailable where it does not serve.
        """
        self.container.get_wrapped_container().start()
        _wait_until_ready(self.container, self.url, self.image)

    def stop(self) -> None:
        self.container.stop()


def start_container(image: str, *, durable: bool = False) -> PostgresContainer:
    """Start PostgreSQL from the image, published on the loopback address where the engine is local.

    durable: whether it is to be killed, and keeps its port and what was committed then.

    Raises EngineMissing, ImageMissing, and BackendUnavailable where the container does not serve.
    """
    _find_engine()
    password = secrets.token_urlsafe(16)
    container = _describe(image, password, durable=durable)
    _run(container, image)
    try:
        url = PostgresUrl(
            host=_host(container), port=_port(container), user="storeproof", password=password
        )
        _wait_until_ready(container, url, image)
    except BaseException:
        container.stop()
        raise
    return PostgresContainer(url, container, image)


def _find_engine() -> None:
    try:
        import docker
        from testcontainers.core.docker_client import DockerClient, get_docker_host
    except ImportError as error:
        raise EngineMissing(
            f"testcontainers can't be imported: {error}", "Run: pip install 'storeproof[postgres]'"
        ) from None
    try:
        _knock(get_docker_host() or "unix:///var/run/docker.sock")
        engine = DockerClient(timeout=ENGINE_SECONDS).client
    except (docker.errors.DockerException, OSError) as error:
        raise _no_engine(error) from None
    try:
        engine.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise _no_engine(error) from None
    finally:
        engine.close()


def _knock(address: str) -> None:
    """Docker's client leaves its socket open where nothing listens at a local engine's address."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as local:
            local.settimeout(ENGINE_SECONDS)
            local.connect(address.removeprefix("unix://"))


def _no_engine(error: Exception) -> EngineMissing:
    return EngineMissing(_words(error), "Start Docker, or give --storage-postgres-url")


def _describe(image: str, password: str, *, durable: bool) -> Any:
    # testcontainers' own PostgresContainer moved between versions and needs a second driver.
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image)
    settings = CRASH_SETTINGS if durable else SPEED_SETTINGS
    options = " ".join(f"-c {setting}" for setting in settings)
    container.with_command(f"postgres {options} -c max_connections=200")
    variables = {"USER": "storeproof", "PASSWORD": password, "DB": "postgres"}
    for name, value in variables.items():
        container.with_env(f"POSTGRES_{name}", value)
    # An engine gives a container another port when it starts again, unless it was told which.
    port = next(free_ports()) if durable else None
    is_local = container.get_docker_client().host() in LOOPBACK
    ports: dict[str, Any] = {f"{PORT}/tcp": ("127.0.0.1", port) if is_local else port}
    container.ports = ports
    return container


def _run(container: Any, image: str) -> None:
    import docker

    try:
        container.start()
    except (docker.errors.DockerException, OSError) as error:
        remedy = _remedy(container, image)
        container.stop()
        raise ImageMissing(image, _words(error), remedy) from error


def _remedy(container: Any, image: str) -> str:
    import docker

    try:
        container.get_docker_client().client.images.get(image)
    except (docker.errors.DockerException, OSError):
        return f"Run: docker pull {image}"
    return (
        "Set TESTCONTAINERS_RYUK_DISABLED=true where testcontainers' own helper image can't be "
        f"pulled, or look at: docker run --rm -e POSTGRES_PASSWORD=x {image}"
    )


def _host(container: Any) -> str:
    host = str(container.get_container_host_ip())
    return "127.0.0.1" if host in LOOPBACK else host


def _port(container: Any) -> int:
    return int(container.get_exposed_port(PORT))


def _wait_until_ready(container: Any, url: PostgresUrl, image: str) -> None:
    """The image's first server, which sets the cluster up, does not listen on TCP."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return run_apart(_answer(url))
        except BackendUnavailable as error:
            if time.monotonic() < deadline and _alive(container):
                time.sleep(0.1)  # nothing tells when a server answers; each look costs a connection
                continue
            raise BackendUnavailable(
                "postgres",
                f"a container of {image} does not serve on {url.server} ({_last_line(container)})",
                f"Look at: docker run --rm -e POSTGRES_PASSWORD=x {image}",
            ) from error


async def _answer(url: PostgresUrl) -> None:
    async with session(url) as connection:
        await connection.execute("SELECT 1")


def _alive(container: Any) -> bool:
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    return str(wrapped.status) in {"created", "running"}


def _last_line(container: Any) -> str:
    said = b"".join(container.get_logs()).decode(errors="replace").strip().splitlines()
    return said[-1] if said else "it said nothing"


def _words(error: Exception) -> str:
    return " ".join(str(getattr(error, "explanation", None) or error).split())
