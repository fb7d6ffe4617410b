"""The Markdown: what it tells, and that texts stay texts."""

from __future__ import annotations

import re

from storeproof.harness.views.markdown import render

from .reports import EVERYTHING, NOTHING, hostile


def test_it_tells_verdicts_failures_gaps_and_how_to_repeat() -> None:
    text = render(EVERYTHING)

    assert text.startswith("## storeproof: 1 of 4 conformant\n\nThe run fails.\n\n- a sentence on")
    assert "| names | memory | ✅ conformant | 1/1 | 0/0 | 100 | 5 |\n" in text
    assert "| numbers | memory | ❌ non-conformant, as recorded | 1/2 | 0/0 |" in text
    assert "| numbers | sqlite | ⚠️ incomplete | 0/1 | 0/0 |" in text
    assert "<summary>names on sqlite: bursts failed</summary>\n\n```text\nnames on sqlite:" in text
    assert "linearizability is known to fail: takes thrice</summary>" in text
    assert "- SKIPPED-1: skipped: why skipped\n" in text
    assert "- NAM-004: replaced: it is slower here" in text
    assert "no call succeeded" in text
    assert "```text\npytest --storage=memory,sqlite --storage-seed=7\n```" in text
    assert text.endswith("python 3.11.7\n")


def test_what_is_hostile_stays_text() -> None:
    text = render(hostile(EVERYTHING))
    outside = re.sub(r"(`{3,})text\n.*?\n\1\n", "", text, flags=re.DOTALL)

    assert set(re.findall(r"</?\w+", outside)) == {"<details", "<summary", "</details", "</summary"}
    rows = [line for line in outside.splitlines() if line.startswith("| ")]
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in rows]
    timed = 2 + sum(len(each.gates) for each in EVERYTHING.latency)
    assert sorted(bars) == [8] * (len(rows) - timed) + [9] * timed
    assert text.isprintable() or set(filter(lambda each: not each.isprintable(), text)) == {"\n"}


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    assert "\n```text\n" not in render(hostile(EVERYTHING))
    assert "\n````text\n" in render(hostile(EVERYTHING))


def test_nothing_judged_is_said() -> None:
    assert "## storeproof: Nothing was judged" in render(NOTHING)
