"""The plugin finds the backends that `--storage` can name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

from storeproof.harness.backends.base import Backend, RunOptions, Server
from storeproof.harness.exceptions import BackendUnavailable, UnknownBackend

__all__ = ["GROUP", "choose", "registered_backends"]

GROUP = "storeproof.backends"


class _Broken(Backend):
    """Stands for an entry point that can't be loaded, until somebody chooses it."""

    def __init__(self, name: str, problem: BackendUnavailable) -> None:
        self.name, self.problem = name, problem

    def start(self, options: RunOptions) -> Server:
        raise self.problem

    async def create_store(self, *_: object) -> NoReturn:
        raise self.problem


def registered_backends(extra: Iterable[Backend] = ()) -> dict[str, Backend]:
    """Give every backend by its name: the entry points', then those of the hook.

    The hook's `extra` replace entry points of the same name. Raises BackendUnavailable where two
    of `extra`, or two distributions' entry points, share a name.
    """
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = points.setdefault(point.name, point)
        if other.value != point.value:
            raise _twice(point.name, f"the entry points {other.value} and {point.value}")
    hooked: dict[str, Backend] = {}
    for backend in extra:
        twin = hooked.setdefault(backend.name, backend)
        if twin is not backend:
            raise _twice(backend.name, f"{_class(twin)} and {_class(backend)}, both from hooks")
    loaded = {name: _load(point) for name, point in points.items() if name not in hooked}
    return dict(sorted({**loaded, **hooked}.items()))


def choose(names: str, known: Mapping[str, Backend]) -> list[Backend]:
    """Give the backends that an option names: `memory,sqlite`, or `all` for every one.

    A name such as `shop.storages:make_storage` stands for a `FactoryBackend` of that function. They
    keep the option's order, without repetition. Raises UnknownBackend, BackendUnavailable where a
    chosen entry point can't be loaded, BadTarget and BadFactory where a function can't be used.
    """
    wanted = [name for part in names.split(",") if (name := part.strip())]
    chosen: dict[str, Backend] = {}
    for name in wanted or [names]:
        chosen.update(known if name == "all" else {name: known.get(name) or _made(name, known)})
    for backend in chosen.values():
        if isinstance(backend, _Broken):
            raise backend.problem
    return list(chosen.values())


def _made(name: str, known: Mapping[str, Backend]) -> Backend:
    if ":" not in name:
        raise UnknownBackend(name, known)
    from storeproof.harness.backends.factory import FactoryBackend, load_factory

    return FactoryBackend(name, load_factory(name))


def _load(point: EntryPoint) -> Backend:
    try:
        made = point.load()()
    except Exception as error:  # a third party's module may raise anything
        return _broken(point, f"can't be loaded ({type(error).__name__}: {error})")
    if not isinstance(made, Backend):
        return _broken(point, f"gives a {type(made).__name__}, not a Backend")
    if made.name != point.name:
        return _broken(point, f"gives a backend that calls itself {made.name!r}")
    return made


def _broken(point: EntryPoint, what: str) -> _Broken:
    remedy = "Mend or remove the distribution that registers it, or leave it out of --storage"
    reason = f"its entry point {point.value} {what}"
    return _Broken(point.name, BackendUnavailable(point.name, reason, remedy))


def _twice(name: str, who: str) -> BackendUnavailable:
    return BackendUnavailable(name, f"two backends have this name: {who}", "Rename one of them")


def _class(backend: Backend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
