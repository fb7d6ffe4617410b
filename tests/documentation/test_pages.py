"""The pages must not lie: their blocks are run as they stand, in their order; data is parsed."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .pages import ROOT, Block, Page
from .running import Runner

PAGES = [Page(each) for each in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
ELSEWHERE = {"tutorial.md": "tox -e newcomer", "found.md": "tox -e examples-…"}
"""Pages of which no block is run here, and what runs them."""
UNRUN = {"ci.md": 1, "latency.md": 1, "third-parties.md": 1, "web.md": 2}
"""How many blocks of a page have a reason not to be run."""
READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
LANGUAGES = {"python", "sh", "text", "diff", "csv", *READERS}
ENVIRONMENT = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTEST_ADDOPTS": "-p no:cacheprovider --storage-seed=1 --storage-profile=light",
    "COLUMNS": "100",
    "NO_COLOR": "1",
}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda each: each.path.stem)


def page_of(folder: Path, text: str) -> Page:
    path = folder / "page.md"
    path.write_text(text, "utf-8")
    return Page(path)


def runs_here(page: Page) -> bool:
    return page.path.name not in ELSEWHERE and any(each.runs for each in page.blocks)


def run(page: Page, folder: Path) -> None:
    Runner(folder / "terminal", ENVIRONMENT).run(page)


@pytest.mark.parametrize("page", [*filter(runs_here, PAGES)], ids=lambda each: each.path.stem)
def test_what_a_page_shows_is_so(page: Page, tmp_path: Path) -> None:
    run(page, tmp_path)


@every_page
def test_every_block_says_what_it_is(page: Page) -> None:
    assert page.indented == [] or page.path.name in ELSEWHERE
    assert {each.language for each in page.blocks} <= LANGUAGES


@every_page
def test_what_is_data_can_be_read(page: Page) -> None:
    for block in page.blocks:
        READERS.get(block.language, str)(block.text)


def test_what_is_not_run_is_known() -> None:
    unrun = Counter(
        page.path.name for page in PAGES for block in page.blocks if block.word == "unrun"
    )

    assert dict(unrun) == UNRUN


WRONG = {
    "Python": "```python\nassert 1 + 1 == 3\n```\n",
    "a name of an earlier block": "```python\na = 1\n```\n\n```python\nassert a == 2\n```\n",
    "what is awaited": "```python\nimport asyncio\nassert await asyncio.sleep(0, 1) == 2\n```\n",
    "a command": "```sh\nfalse\n```\n",
    "a command before the last": "```sh\nfalse\ntrue\n```\n",
    "an exit status": "<!-- ci:exit 1 -->\n```sh\ntrue\n```\n",
    "what a command prints": "```sh\necho a\n```\n\n<!-- ci:output -->\n```text\nb\n```\n",
    "an order": "```sh\necho a; echo b\n```\n\n<!-- ci:output -->\n```text\nb\n…\na\n```\n",
    "what Python prints": "```python\nprint(1)\n```\n\n<!-- ci:output -->\n```text\n2\n```\n",
    "a file": "<!-- ci:file a.py -->\n```python\nassert False\n```\n\n```sh\npython a.py\n```\n",
    "a file that is there": "```sh\necho 1 > a\n```\n\n<!-- ci:file a -->\n```text\n2\n```\n",
    "an edit": "```sh\necho 1 > a\n```\n\n<!-- ci:edit a -->\n```diff\n-2\n+3\n```\n",
    "a marker's word": "<!-- ci:ignore me -->\n```sh\ntrue\n```\n",
    "a marker's reason": "<!-- ci:unrun -->\n```sh\ntrue\n```\n",
    "a marker's place": "<!-- ci:exit 1 -->\n\n```sh\nfalse\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_seen(text: str, tmp_path: Path) -> None:
    page = page_of(tmp_path, text)

    with pytest.raises(AssertionError):
        run(page, tmp_path)


def test_what_is_right_is_spared(tmp_path: Path) -> None:
    text = """
```sh
mkdir inner && cd inner && export WORD=right
```

<!-- ci:file a.py -->
```python
print("left")
```

<!-- ci:edit a.py -->
```diff
-print("left")
+print("right")
```

```sh
python a.py | grep "$WORD"; echo 1 programs, 2 operations; echo last
```

<!-- ci:output -->
```text
right
7 programs, 9 operations
…
last
```

<!-- ci:unrun it would fail -->
```sh
false
```
"""
    run(page_of(tmp_path, text), tmp_path)


def test_blocks_that_nobody_can_mark_are_seen(tmp_path: Path) -> None:
    page = page_of(tmp_path, "Run this:\n\n    rm -r folder\n\n- and\n\n    this of a list\n")

    assert len(page.indented) == 1


def test_a_block_in_a_list_is_a_block(tmp_path: Path) -> None:
    page = page_of(tmp_path, "- so:\n\n  ```sh\n  true\n  ```\n")

    assert page.blocks == [Block("", "", "sh", "true\n", 4)]


def test_what_was_found_is_shown_by_programs_that_are_there() -> None:
    programs = re.findall(
        r"--storage-replay (\S+)", (ROOT / "docs" / "found.md").read_text("utf-8")
    )

    assert programs
    assert [each for each in programs if not (ROOT / each).is_file()] == []
