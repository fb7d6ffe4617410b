"""Every component stands alone: nothing but itself and `selection` imports it."""

import ast
from pathlib import Path

import storeproof.reference

BASE = "storeproof.reference"
ROOT = Path(storeproof.reference.__file__).parent
COMPONENTS = sorted(each.parent.name for each in ROOT.glob("*/protocol.py"))


def imported(source: str) -> set[str]:
    """The components that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                names.update(f"{module}.{alias.name}" for alias in node.names)
    parts = [name.removeprefix(f"{BASE}.").split(".") for name in names if name.startswith(BASE)]
    return {each[0] for each in parts} & set(COMPONENTS)


JOINING = ("selection.py", "demo/", "migration/laws.py", "migration/users.py", "web/")
"""What joins the components, moves their content or serves them; each is above all of them."""


def test_imports_are_found() -> None:
    assert {"auth", "costs"} <= set(COMPONENTS)
    assert imported(f"from {BASE} import auth, storage\nimport {BASE}.costs.entities") == {
        "auth",
        "costs",
    }
    assert imported(f"def late():\n    from {BASE}.auth.entities import User") == {"auth"}
    assert imported(f"from {BASE}.storage import Page\nimport msgspec") == set()


def test_components_know_nothing_of_each_other() -> None:
    others = {
        str(path.relative_to(ROOT)): found - {path.relative_to(ROOT).parts[0]}
        for path in ROOT.rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(JOINING)
        for found in [imported(path.read_text())]
    }
    assert {path: found for path, found in others.items() if found} == {}


def test_selection_joins_all_of_them() -> None:
    assert imported((ROOT / "selection.py").read_text()) == set(COMPONENTS)
