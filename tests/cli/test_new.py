"""`storeproof new` writes files that are formatted, typed, and run; it overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode
from storeproof.cli.scaffolds import COMPONENTS, backend_scaffold

Run = Callable[..., Result]
ORDERS = '''
"""Somebody's own component."""

from typing import Protocol


class OrderMissing(Exception):
    """There is no such order."""


class Orders(Protocol):
    """Amounts by their keys."""

    async def get(self, key: str) -> int:
        """Give the amount. Raises OrderMissing."""
        ...

    async def put(self, key: str, amount: int) -> None:
        """Keep an amount. Raises ValueError where it is negative."""
        ...


class InMemoryOrders:
    """The model."""

    def __init__(self) -> None:
        self.amounts: dict[str, int] = {}

    async def get(self, key: str) -> int:
        """Give the amount."""
        if key not in self.amounts:
            raise OrderMissing
        return self.amounts[key]

    async def put(self, key: str, amount: int) -> None:
        """Keep an amount."""
        if amount < 0:
            raise ValueError("negative")
        self.amounts[key] = amount


class Careless(InMemoryOrders):
    """Takes anything."""

    async def put(self, key: str, amount: int) -> None:
        """Keep an amount."""
        self.amounts[key] = amount

    @classmethod
    def open(cls) -> "Careless":
        """Make one."""
        return cls()


class Odd(Protocol):
    """Can't be derived."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...


AMOUNT = 1
'''
GIVEN = ["--protocol", "shop.orders:Orders", "--model", "shop.orders:InMemoryOrders"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    for name in ("shop", "shop.orders"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "orders.py").write_text(ORDERS, "utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy has found out about storeproof."""
    return tmp_path_factory.mktemp("mypy")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MYPYPATH": ""}
    return subprocess.run(  # noqa: S603 - the command is this test's own
        [sys.executable, "-m", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def proved(backend: str, *options: str) -> subprocess.CompletedProcess[str]:
    given = (f"--storage=memory,{backend}", "--storage-profile=light", "-p", "no:randomly")
    return python("pytest", "-q", *given, *options)


def test_what_is_written_for_a_protocol_is_sound(run: Run, folder: Path, cache: Path) -> None:
    told = run("new", "orders", *GIVEN)

    assert told.exit_code == ExitCode.DONE, told.output
    assert told.output.splitlines() == [
        "wrote test_orders.py",
        "wrote conftest.py",
        "next: pytest --storage=memory,orders",
    ]
    assert "errors=(OrderMissing, ValueError)," in (folder / "test_orders.py").read_text("utf-8")
    files = ["test_orders.py", "conftest.py"]
    for command in (["check", "--select=E,F,I,UP,ANN", "--ignore=ANN401"], ["format", "--check"]):
        done = python("ruff", command[0], "--isolated", *command[1:], *files)
        assert done.returncode == 0, done.stdout
    typed = python("mypy", "--strict", f"--cache-dir={cache}", *files)
    assert typed.returncode == 0, typed.stdout
    ran = proved("orders")
    assert (ran.returncode, ran.stdout.count(" conformant ")) == (0, 2), ran.stdout


def test_a_broken_storage_turns_them_red(run: Run) -> None:
    told = run("new", "careless", *GIVEN, "--storage", "shop.orders:Careless.open")

    assert told.exit_code == ExitCode.DONE, told.output
    ran = proved("careless")
    assert ran.returncode == 1
    assert 'await storage.put(key="' in ran.stdout
    assert ran.stdout.count(" non-conformant ") == 1


def test_a_backend_of_a_component_is_sound(run: Run, folder: Path, cache: Path) -> None:
    told = run("new", "redis", "--backend", "providers")

    assert told.exit_code == ExitCode.DONE, told.output
    files = ["redis_providers.py", "test_redis.py", "conftest.py"]
    for command in (["check", "--select=E,F,I,UP,ANN"], ["format", "--check"]):
        done = python("ruff", command[0], "--isolated", *command[1:], *files)
        assert done.returncode == 0, done.stdout
    typed = python("mypy", "--strict", f"--cache-dir={cache}", *files)
    assert typed.returncode == 0, typed.stdout
    few = ("-k", "signature or capabilities or prov_00", "--storage-partial")
    assert proved("redis", *few).returncode == 0

    with (folder / "redis_providers.py").open("a") as module:
        module.write("\n    async def create(self, entity):\n        return entity\n")
    ran = proved("redis", *few)
    assert (ran.returncode, ran.stdout.count(" non-conformant ")) == (1, 1), ran.stdout


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_has_a_beginning(component: str, folder: Path) -> None:
    backend_scaffold("mine", component).write(folder)
    code = f"from mine_{component} import *; import test_mine, conftest; print(1)"

    (folder / "try_out.py").write_text(code, "utf-8")
    done = python("try_out")
    assert done.stdout == "1\n", done.stderr


def test_long_names_are_wrapped_as_formatters_do(run: Run, folder: Path) -> None:
    errors = [f"TheRatherLongNameOfError{each}" for each in "ABCD"]
    raised = ", ".join(errors)
    text = "\n\n".join(f"class {each}(Exception):\n    pass\n" for each in errors)
    more = ORDERS.replace("Raises OrderMissing.", f"Raises {raised}.").replace(
        "class Orders", f"{text}\n\nclass Orders"
    )
    (folder / "shop" / "orders.py").write_text(more, "utf-8")

    assert run("new", "orders", *GIVEN).exit_code == ExitCode.DONE
    done = python("ruff", "format", "--isolated", "--diff", "test_orders.py", "conftest.py")
    assert done.returncode == 0, done.stdout
    assert python("ruff", "check", "--isolated", "--select=I", ".").returncode == 0


def test_nothing_is_overwritten_unasked(run: Run, folder: Path) -> None:
    (folder / "conftest.py").write_text("mine\n", "utf-8")

    refused = run("new", "orders", *GIVEN)
    assert refused.exit_code == ExitCode.REFUSED
    assert refused.stderr == (
        "storeproof: conftest.py would be overwritten, so nothing was written. Give another "
        "--folder, or --overwrite\n"
    )
    assert (folder / "conftest.py").read_text("utf-8") == "mine\n"
    assert not (folder / "test_orders.py").exists()

    assert run("new", "orders", *GIVEN, "--folder", "tests").exit_code == ExitCode.DONE
    assert run("new", "orders", *GIVEN, "--overwrite").exit_code == ExitCode.DONE
    assert (folder / "conftest.py").read_text("utf-8") != "mine\n"


MODEL = ["--model", "shop.orders:InMemoryOrders"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["orders"], 2, "give either --protocol and --model, or --backend"),
        (["orders", "--protocol", "shop.orders:Orders"], 2, "give either --protocol and"),
        (["orders", *MODEL], 2, "give either --protocol and --model, or --backend"),
        (["orders", *GIVEN, "--backend", "auth"], 2, "give either --protocol and --model"),
        (["my-orders", *GIVEN], 2, "'my-orders' is no lower-case name of Python"),
        (["class", *GIVEN], 2, "'class' is no lower-case name of Python"),
        (["orders", "--backend", "web"], 2, "'web' is not one of"),
        (["orders", "--protocol", "nowhere:X", *MODEL], 3, "there is no module 'nowhere'"),
        (["orders", "--protocol", "shop.orders:AMOUNT", *MODEL], 3, "this is a int, not a class"),
        (["orders", "--protocol", "shop.orders:Odd", *MODEL], 3, "Contract(Odd): "),
        ([*("orders", *GIVEN[:2], "--model"), "shop.orders:AMOUNT"], 3, "it can't be called"),
        ([*("orders", *GIVEN, "--storage"), "shop.orders:AMOUNT"], 3, "a int can't be called"),
        (["orders", *GIVEN, "--folder", "shop/__init__.py"], 3, "File exists"),
    ],
)
def test_what_can_not_be_written_is_told_in_a_sentence(
    run: Run, folder: Path, arguments: list[str], code: int, sentence: str
) -> None:
    told = run("new", *arguments)

    said = " ".join(told.stderr.replace("│", " ").split())
    assert (told.exit_code, sentence in said) == (code, True), told.output
    assert code == ExitCode.USAGE or told.stderr.count("\n") == 1
    assert [each.name for each in folder.iterdir() if each.name != "shop"] == []
