"""The house's rules that can be measured are."""

import ast
import importlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "storeproof"
FILES = sorted(SOURCE.rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give every function's name and its lines, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            yield (
                f"{path.relative_to(SOURCE)}: {node.name}",
                (node.end_lineno or 0) - first.lineno + 1,
            )


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_there_is_something_to_measure() -> None:
    assert len(FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_file_is_short_and_says_who_should_use_it(path: Path) -> None:
    text = path.read_text("utf-8")

    assert text.count("\n") <= 400
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_functions_are_short() -> None:
    lengths = dict(each for path in FILES for each in functions(path))

    assert [name for name, length in lengths.items() if length > 50] == []
    assert statistics.median(lengths.values()) <= 8


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_what_a_module_exports_is_sorted_and_there(path: Path) -> None:
    module = importlib.import_module(module_name(path))
    exported = getattr(module, "__all__", [])

    assert list(exported) == sorted(exported, key=_as_ruff_sorts)
    assert [name for name in exported if not hasattr(module, name)] == []


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def test_importing_storeproof_loads_neither_pytest_nor_hypothesis() -> None:
    code = (
        "import sys, storeproof; from storeproof import Contract, law, Backend; "
        "print([each for each in ('pytest', 'hypothesis', 'sqlalchemy') if each in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 - the code is this test's own
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
