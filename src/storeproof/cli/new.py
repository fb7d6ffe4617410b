"""For whoever begins: `storeproof new` writes a test module and a conftest that run at once."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from storeproof.cli.errors import ExitCode, UserError
from storeproof.cli.output import say
from storeproof.cli.scaffolds import (
    Named,
    Scaffold,
    backend_scaffold,
    errors_of,
    suite_scaffold,
)

__all__ = ["app"]

app = typer.Typer()

_PROTOCOL = "Name a Protocol or an abstract class, such as shop.storages:Orders"
_MODEL = "Name the in-memory implementation, such as shop.storages:InMemoryOrders"


@app.command(
    epilog="Examples: storeproof new orders --protocol shop.storages:Orders --model "
    "shop.storages:InMemoryOrders; storeproof new redis --backend auth"
)
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the backend is called.")],
    *,
    protocol: Annotated[str | None, typer.Option(help="The Protocol of your own.")] = None,
    model: Annotated[str | None, typer.Option(help="Its in-memory implementation.")] = None,
    storage: Annotated[
        str | None, typer.Option(help="What makes the other storage; else the model, to begin.")
    ] = None,
    backend: Annotated[
        Literal["auth", "costs", "errors", "providers"] | None,
        typer.Option(help="Begin an implementation of a reference component's Protocol."),
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Where to write.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files.")] = False,
) -> None:
    """Write a test module and a conftest for a Protocol, or the beginning of a backend."""
    if not name.isidentifier() or keyword.iskeyword(name) or not name.islower():
        raise typer.BadParameter(f"{name!r} is no lower-case name of Python, such as my_orders")
    if (backend is None) == (protocol is None) or (protocol is None) != (model is None):
        raise typer.BadParameter("give either --protocol and --model, or --backend")
    if protocol is None or model is None:
        _write(backend_scaffold(name, str(backend)), folder, overwrite=overwrite)
        return
    sys.path.insert(0, str(Path.cwd()))
    errors = _errors(protocol, model)
    names = (Named.of(protocol), Named.of(model), _storage(storage or model))
    _write(suite_scaffold(name, *names, errors), folder, overwrite=overwrite)


def _errors(protocol: str, model: str) -> list[type[Exception]]:
    """Derive the contract, so that what is written runs, and give its errors.

    Raises HarnessError.
    """
    from storeproof.harness.backends.factory import BadFactory, Factory
    from storeproof.harness.contract import Contract
    from storeproof.harness.targets import BadTarget, load_named

    declared, made = load_named(protocol, _PROTOCOL), load_named(model, _MODEL)
    if not isinstance(declared, type):
        raise BadTarget(protocol, f"this is a {type(declared).__name__}, not a class", _PROTOCOL)
    if not callable(made) or Factory(made, model).takes_place:
        raise BadFactory(model, "it can't be called without arguments", _MODEL)
    errors = errors_of(declared)
    Contract(declared, model=made, errors=errors)
    return errors


def _storage(target: str) -> Named:
    from storeproof.harness.backends.factory import Factory, load_factory

    Factory(load_factory(target), target)
    return Named.of(target)


def _write(scaffold: Scaffold, folder: Path, *, overwrite: bool) -> None:
    existing = [] if overwrite else scaffold.existing(folder)
    if existing:
        raise UserError(
            f"{', '.join(existing)} would be overwritten, so nothing was written. Give another "
            "--folder, or --overwrite",
            ExitCode.REFUSED,
        )
    scaffold.write(folder)
    for name in scaffold.files:
        say(f"wrote {folder / name}")
    say(f"next: {scaffold.command}")
