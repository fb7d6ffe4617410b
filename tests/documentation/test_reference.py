"""The pages of reference are those that the code makes."""

import pytest

from .pages import ROOT
from .reference import PAGES

REMEDY = "Write it anew: PYTHONPATH=src:tests python -m documentation.reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_makes(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name](), REMEDY
