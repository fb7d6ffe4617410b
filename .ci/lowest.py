"""`tox -e lowest` installs what this prints: pyproject.toml's requirements, each at its floor.

Usage: python .ci/lowest.py [EXTRA ...] [GROUP ...]
"""

import re
import sys
import tomllib
from pathlib import Path

FLOOR = re.compile(r"(?P<name>[\w.-]+(\[[\w,-]+\])?)>=(?P<version>[\w.]+)")


def main(names: list[str]) -> None:
    document = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    project = document["project"]
    known = {**project["optional-dependencies"], **document["dependency-groups"]}
    asked = [*project["dependencies"], *(each for name in names for each in known[name])]
    for requirement in dict.fromkeys(asked):
        floor = FLOOR.fullmatch(requirement)
        if floor is None:
            sys.exit(f"lowest.py: {requirement!r} has no floor of the form name>=version")
        sys.stdout.write(f"{floor['name']}=={floor['version']}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
