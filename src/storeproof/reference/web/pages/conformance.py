"""For people: what a run of the suites found, out of the report that `WebSettings.report` names."""

import asyncio
import base64
import hashlib
import re
from typing import Final

from litestar import Response
from litestar.di import NamedDependency

from storeproof.harness.exceptions import ReportError
from storeproof.harness.findings import contracts, headline, overall, passed, verdict_text
from storeproof.harness.report import Report, load
from storeproof.harness.views import VIEWS
from storeproof.reference.web.needs import SYSTEM_READ
from storeproof.reference.web.pages.frame import HEADERS, Frame
from storeproof.reference.web.pages.routes import shows
from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.settings import WebSettings

__all__ = ["overview", "whole"]

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@shows("/conformance", SYSTEM_READ)
async def overview(
    frame: NamedDependency[Frame], settings: NamedDependency[WebSettings]
) -> Response[str]:
    """The verdicts; where there is no report, how to have one."""
    try:
        report = await _report(settings)
    except ReportError as error:
        return frame.page("conformance.html", report=None, problem=str(error))
    if report is None:
        return frame.page("conformance.html", report=None)
    return frame.page(
        "conformance.html",
        report=report,
        contracts=contracts(report),
        headline=headline(report),
        overall=overall(report.judgements),
        passed=passed,
        verdict_text=verdict_text,
    )


@shows("/conformance/report", SYSTEM_READ)
async def whole(settings: NamedDependency[WebSettings]) -> Response[str]:
    """The whole report, as `storeproof report` makes a page of it."""
    try:
        report = await _report(settings)
    except ReportError as error:
        raise Refusal(404, "not-found", str(error)) from None
    if report is None:
        raise Refusal(404, "not-found", "There is no report to show.")
    text = await asyncio.to_thread(VIEWS["html"], report)
    headers = {**HEADERS, "Content-Security-Policy": _policy(text)}
    return Response(text, media_type="text/html", headers=headers)


async def _report(settings: WebSettings) -> Report | None:
    """The report as it is now. Raises ReportError where it can't be read."""
    if settings.report is None:
        return None
    return await asyncio.to_thread(load, settings.report)


def _policy(text: str) -> str:
    """Allows the page its own style sheet, and nothing else."""
    digests = (hashlib.sha256(each.encode()).digest() for each in _STYLE.findall(text))
    sources = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests)
    return (
        f"default-src 'none'; style-src {sources}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
