"""The plugin and the command line draw a badge of a report here, for a project's README."""

from __future__ import annotations

from html import escape

from storeproof.harness.findings import contracts, overall
from storeproof.harness.lanes import plain
from storeproof.harness.report import Report, Verdict

__all__ = ["render"]

_COLOURS = {
    Verdict.CONFORMANT: "#1d7a46",
    Verdict.NON_CONFORMANT: "#b3322c",
    Verdict.INCOMPLETE: "#8a6100",
}
_EDGE = 6
_NARROW, _WIDE = frozenset("fijlrt-.,:;'|! "), frozenset("mwMW@")
_BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{label}: {verdict}">
<title>{label}: {verdict}</title>
<clipPath id="rounded"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#rounded)">
<rect width="{left}" height="20" fill="#444a50"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_at}" y="14" textLength="{label_length}">{label}</text>
<text x="{verdict_at}" y="14" textLength="{verdict_length}">{verdict}</text>
</g>
</svg>
"""


def render(report: Report) -> str:
    """Give the badge: the contract's name, where there is one, and the worst verdict."""
    names = list(contracts(report))
    label = plain(names[0]) if len(names) == 1 else "contract"
    verdict = overall(report.judgements)
    left, right = _width(label), _width(verdict)
    return _BADGE.format(
        label=escape(label),
        verdict=verdict,
        colour=_COLOURS[verdict],
        width=left + right,
        left=left,
        right=right,
        label_at=left / 2,
        label_length=left - 2 * _EDGE,
        verdict_at=left + right / 2,
        verdict_length=right - 2 * _EDGE,
    )


def _width(text: str) -> int:
    return round(sum(map(_letter, text))) + 2 * _EDGE


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return 4.2
    return 10.2 if letter in _WIDE else 7.0
