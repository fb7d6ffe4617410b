"""What CI takes from here: the action and the template run as they are, the examples fit them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
TEMPLATE = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text("utf-8"))[".storeproof"]
EXAMPLES = [
    yaml.safe_load(each)
    for each in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.S)
]
WRITTEN = {"report.json", "report.html", "badge.svg", "junit.xml"}
GIVEN = {
    "TESTS": "test_notes.py",
    "STORAGE": "memory,sqlite",
    "PROFILE": "quick",
    "ARGUMENTS": "-q -p no:cacheprovider",
}


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a copy of the notes example, with this Python first."""
    for name in ("notes.py", "test_notes.py", "pyproject.toml"):
        (folder / name).write_text((ROOT / "examples" / "notes" / name).read_text("utf-8"), "utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(  # noqa: S603 - the script is this repository's own
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - bash is where PATH has it
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def step(name: str) -> Any:
    return next(each for each in ACTION["runs"]["steps"] if each["name"] == name)


def test_the_action_writes_the_reports_and_fails_with_the_run(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("earlier\n", "utf-8")

    done = run(step("Prove")["run"], tmp_path, GITHUB_STEP_SUMMARY=str(summary), **GIVEN)

    assert done.returncode == 1, done.stderr
    assert {each.name for each in (tmp_path / "storeproof").iterdir()} == WRITTEN
    assert summary.read_text("utf-8").startswith("earlier\n## storeproof: 1 of 2 conformant")


def test_the_template_does_likewise(tmp_path: Path) -> None:
    done = run(TEMPLATE["script"][-1], tmp_path, **GIVEN)

    assert done.returncode == 1, done.stderr
    assert {each.name for each in (tmp_path / "storeproof").iterdir()} == {*WRITTEN, "report.md"}


@pytest.mark.parametrize("name", ["Install", "Prove"])
def test_inputs_reach_a_script_as_variables_only(name: str) -> None:
    assert "${{" not in step(name)["run"]
    used = set(re.findall(r"inputs\.([\w-]+)", str(ACTION["runs"])))
    assert used == set(ACTION["inputs"])


def test_the_examples_give_what_the_action_and_the_template_take() -> None:
    given = [
        each["with"]
        for example in EXAMPLES
        for job in example.get("jobs", {}).values()
        for each in job["steps"]
        if each.get("uses", "").startswith("OWNER/storeproof@")
    ]
    jobs = [job for example in EXAMPLES for job in example.values() if isinstance(job, dict)]
    gitlab = [job for job in jobs if "extends" in job]

    assert len(given) == 2
    assert set().union(*given) <= set(ACTION["inputs"])
    assert [each["extends"] for each in gitlab] == [".storeproof"] * 2
    own = {"POSTGRES_HOST_AUTH_METHOD", "STOREPROOF_POSTGRES_URL"}
    assert set().union(*(each["variables"] for each in gitlab)) - own <= set(TEMPLATE["variables"])
