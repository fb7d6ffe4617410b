"""For authors of a storage: `storeproof check` proves it, with no files and no pytest of theirs."""

from __future__ import annotations

import json
import secrets
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from storeproof.cli.errors import ExitCode
from storeproof.cli.output import err, say
from storeproof.cli.progress import telling

if TYPE_CHECKING:
    from storeproof.harness.checking import Checking
    from storeproof.harness.report import Judgement, Report

__all__ = ["CONTRACTS", "app"]

CONTRACTS: Final = {
    name: f"storeproof.reference.{name}.laws:contract"
    for name in ("auth", "costs", "errors", "providers")
}
"""The reference components' contracts, by the name that `--contract` takes."""

app = typer.Typer()


class _Capability(StrEnum):
    """What a factory's storage may be declared to do; that it has several clients is assumed."""

    SURVIVES_RESTART = "survives_restart"


@app.command(epilog="Example: storeproof check shop.storages:make_storage --contract auth")
def check(
    factory: Annotated[
        str,
        typer.Argument(
            metavar="FACTORY",
            help="A class or function that makes a storage, such as shop.storages:make_storage; "
            "called without arguments, or with the path of an empty folder if it needs one.",
        ),
    ],
    *,
    contract: Annotated[
        str, typer.Option(help="auth, costs, errors, providers, or one such as shop.laws:contract.")
    ],
    profile: Annotated[
        Literal["light", "quick", "full", "soak"], typer.Option(help="How much is tried.")
    ] = "quick",
    capability: Annotated[
        list[_Capability] | None,
        typer.Option(help="What the storage can do; that it has several clients is assumed."),
    ] = None,
    laws: Annotated[
        str, typer.Option(metavar="VERSION", help="Later laws run without scoring.")
    ] = "",
    report: Annotated[Path | None, typer.Option(metavar="PATH", help="Write JSON.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="PATH", help="Write Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    seed: Annotated[int | None, typer.Option(help="Repeat a run's programs.")] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run one saved program, nothing else.")
    ] = None,
) -> None:
    """Prove that a storage obeys a contract.

    Exits with 0 where it is conformant, 1 where it is not, 3 where the verdict is incomplete or
    what was given can't be used.
    """
    from storeproof.harness.backends.base import Capability
    from storeproof.harness.checking import Checking

    sys.path.insert(0, str(Path.cwd()))
    views = {"report": report, "html": html, "markdown": markdown}
    words = [each for name in capability or () for each in ("--capability", name)]
    checking = Checking(
        factory=factory,
        contract=CONTRACTS.get(contract, contract),
        command=shlex.join(["storeproof", "check", factory, "--contract", contract, *words]),
        profile=profile,
        seed=secrets.randbelow(2**32) if seed is None else seed,
        capabilities=tuple(Capability(each) for each in capability or ()),
        laws=laws,
        outputs={f"--storage-{name}": path for name, path in views.items() if path is not None},
    )
    if replay is not None:
        _replay(checking, replay)
    else:
        _run(checking, as_json=as_json)


def _run(checking: Checking, *, as_json: bool) -> None:
    import msgspec

    with telling(quiet=as_json or not err.is_terminal) as tell:
        report = checking.run(tell)
    if as_json:
        say(json.dumps(msgspec.to_builtins(report)))
    else:
        _show(report)
    raise typer.Exit(_code(report))


def _replay(checking: Checking, program: Path) -> None:
    replayed = checking.replay(program)
    say(replayed.text.rstrip())
    raise typer.Exit(ExitCode.DONE if replayed.passes else ExitCode.FOUND)


def _show(report: Report) -> None:
    from storeproof.harness.summary import lines, title

    for judgement in report.judgements:
        for text in _failures(judgement):
            say(f"{text}\n")
    for line in [title(report), *lines(report)]:
        say(line)


def _failures(judgement: Judgement) -> list[str]:
    return [each.failure.message for each in judgement.checks if each.failure is not None]


def _code(report: Report) -> ExitCode:
    from storeproof.harness.report import Verdict

    verdicts = {each.verdict for each in report.judgements}
    if Verdict.NON_CONFORMANT in verdicts:
        return ExitCode.FOUND
    if Verdict.INCOMPLETE in verdicts:
        return ExitCode.UNUSABLE
    return ExitCode.DONE if report.passed else ExitCode.FOUND
