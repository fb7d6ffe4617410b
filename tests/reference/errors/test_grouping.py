"""What differs from one occurrence to the next makes no new group; what matters does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storeproof.reference.errors import Frame, fingerprint
from storeproof.reference.errors.grouping import steady
from storeproof.reference.values import canonical_id

FRAMES = [Frame(module="app.main", function="run"), Frame(module="app.disk", function="write")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("user 17 failed", "user 4711 failed"),
        ("took 1.5 s", "took 20 s"),
        ("took 1e-9", "took -3.25"),
        ("job 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "job FFFFFFFF-4f89-11d3-9a0c-0305e82c3301"),
        ("<object at 0x7f3c>", "<object at 0xDEADBEEF01>"),
        ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit 83baae61804e65cc73a72014"),
        ("at 2026-03-01T12:00:00.123Z", "at 2025-12-31 23:59:59+01:00"),
        ("from 10.0.0.1", "from 192.168.178.200"),
        ("no user ann@example.org", "no user bob.b+x@mail.example.com"),
        ("two\n lines", "two lines"),
    ],
)
def test_volatile_text_makes_no_group(one: str, other: str) -> None:
    assert fingerprint("ValueError", one, []) == fingerprint("ValueError", other, [])


@pytest.mark.parametrize(
    ("one", "other"),
    [("disk full", "disk gone"), ("utf8 failed", "latin1 failed"), ("decade", "facade"), ("a", "")],
)
def test_words_make_a_group(one: str, other: str) -> None:
    assert fingerprint("ValueError", one, []) != fingerprint("ValueError", other, [])


def test_type_and_frames_make_a_group_and_the_message_does_not() -> None:
    made = fingerprint("OSError", "disk full", FRAMES)
    assert fingerprint("OSError", "other", FRAMES) == made
    assert fingerprint("ValueError", "disk full", FRAMES) != made
    assert fingerprint("OSError", "disk full", FRAMES[::-1]) != made
    assert fingerprint("OSError", "disk full", FRAMES[:1]) != made


def test_depth_of_a_recursion_makes_no_group() -> None:
    deep = [FRAMES[0], *FRAMES[1:] * 40]
    assert fingerprint("RecursionError", "", deep) == fingerprint("RecursionError", "", FRAMES)


def test_numbers_in_the_names_of_generated_code_make_no_group() -> None:
    cells = [[Frame(module=f"<cell-{number}>", function="<lambda>")] for number in (1, 22)]
    assert len({fingerprint("E", "", frames) for frames in cells}) == 1


def test_module_and_function_are_not_run_together() -> None:
    one, other = Frame(module="a", function="bc"), Frame(module="ab", function="c")
    assert fingerprint("E", "", [one]) != fingerprint("E", "", [other])


def test_version_1_never_changes() -> None:
    assert fingerprint("OSError", "x", FRAMES) == "1-663e90876917fed620d046f91e9a2f56"
    assert (
        fingerprint("OSError", "disk 7 full", [], version=1) == "1-1a2fa48c66a24ec02b1c8fcbc22bab9a"
    )


def test_unknown_versions_are_refused() -> None:
    with pytest.raises(ValueError, match="no version 2"):
        fingerprint("E", "", [], version=2)


@settings(deadline=None)
@given(st.text(), st.text(), st.lists(st.builds(Frame, module=st.text(), function=st.text())))
def test_every_fingerprint_can_be_stored(kind: str, message: str, frames: list[Frame]) -> None:
    made = fingerprint(kind, message, frames)
    assert canonical_id("fingerprint", made) == made == fingerprint(kind, message, frames)


@settings(deadline=None)
@given(st.text())
def test_steadying_again_changes_nothing(text: str) -> None:
    assert steady(steady(text)) == steady(text)
