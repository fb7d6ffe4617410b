"""For clients of the API: what goes wrong, as `application/problem+json` (RFC 9457).

`type` is `urn:storeproof:problem:` and one word for the class of error; `about` holds its
attributes, such as the field of an invalid value. `detail` may be shown to whoever asked. What the
application did not expect is "internal": it is logged, and none of it is told.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from traceback import walk_tb
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException
from litestar.openapi import ResponseSpec
from litestar.serialization import msgspec_hooks as serialization

from storeproof.reference.auth.service import NotAllowed, NotAudited, SignInRefused, WeakPassword
from storeproof.reference.costs.exceptions import (
    BudgetExceeded,
    BudgetOverflow,
    ReservationClosed,
)
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    VersionConflict,
)
from storeproof.reference.providers.exceptions import RateLimited
from storeproof.reference.providers.service import NoProviderAvailable, Undecryptable

__all__ = [
    "HANDLERS",
    "MEDIA_TYPE",
    "PROBLEMS",
    "Problem",
    "Refusal",
    "answered",
    "headers_of",
    "problem_of",
]

MEDIA_TYPE: Final = "application/problem+json"
LOGGER = logging.getLogger("storeproof.web")

_STATUS: Final[Mapping[type[Exception], int]] = {
    InvalidValue: 422,
    WeakPassword: 422,
    SignInRefused: 401,
    NotAllowed: 403,
    NotFound: 404,
    Duplicate: 409,
    InUse: 409,
    BudgetExceeded: 409,
    BudgetOverflow: 409,
    ReservationClosed: 409,
    NoProviderAvailable: 409,
    Undecryptable: 409,
    VersionConflict: 412,
    RateLimited: 429,
    NotAudited: 500,
    Unavailable: 503,
    OutcomeUnknown: 504,
}

_LEFT: Final = "client disconnected prematurely"
"""What Litestar calls a failure of the server; it has no class of its own for it."""
_SHOWN: Final = (bool, int, str, type(None))


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. `about`: the attributes of the error; what they mean depends on `type`."""

    type: str
    title: str
    status: int
    detail: str
    about: dict[str, str | int | None] = {}


class Refusal(HTTPException):
    """A request that the web application itself refuses; `word` becomes the type of the problem."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        super().__init__(detail=detail, status_code=status)
        self.word = word


def problem_of(error: Exception) -> Problem:
    """The problem that this error is, for whoever made the request."""
    status = next((_STATUS[each] for each in type(error).__mro__ if each in _STATUS), 0)
    if status:
        return _problem(status, _word(type(error).__name__), str(error), _about(error))
    if isinstance(error, Refusal):
        return _problem(error.status_code, error.word, error.detail)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _problem(error.status_code, "request", _detail(error))
    if isinstance(error, InternalServerException) and error.detail == _LEFT:
        return _problem(400, "request", "The connection was closed before the body had come.")
    if isinstance(error, RecursionError | UnicodeDecodeError) and _came_from_a_body(error):
        return _problem(400, "request", "The body is nested too deeply, or is no UTF-8 text.")
    return _problem(500, "internal", "Something failed here; it was logged. Retry later.")


def _came_from_a_body(error: Exception) -> bool:
    """Whether Litestar raised it while it decoded: it passes these on as they are."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(each.f_globals.get("__name__") == serialization.__name__ for each in frames)


def _problem(
    status: int, word: str, detail: str, about: dict[str, str | int | None] | None = None
) -> Problem:
    return Problem(
        type=f"urn:storeproof:problem:{word}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        about=about or {},
    )


def _detail(error: HTTPException) -> str:
    """What is wrong with the request, by the names of its parts, without quoting them."""
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{each['key']}: {each['message']}" for each in extra if "key" in each]
    text = "; ".join(parts) or HTTPStatus(error.status_code).description
    return text or HTTPStatus(error.status_code).phrase


def _about(error: Exception) -> dict[str, str | int | None]:
    return {name: _shown(value) for name, value in vars(error).items() if name[:1] != "_"}


def _shown(value: Any) -> str | int | None:
    if isinstance(value, _SHOWN):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _word(name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).lstrip("-")


def answered(request: Request[Any, Any, Any], error: Exception) -> Problem:
    """The problem with which a request is answered; what failed here is logged."""
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        LOGGER.error("%s %s failed", request.method, _template(request), exc_info=error)
    return problem


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    problem = answered(request, error)
    return Response(
        problem,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers_of(error, problem.status),
    )


def _template(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("path_template", "an unknown path"))


def headers_of(error: Exception, status: int) -> dict[str, str]:
    """What the answer to an error must tell beside its problem, such as when to try again."""
    given = getattr(error, "headers", None) or {}
    if status == HTTPStatus.UNAUTHORIZED:
        return {**given, "WWW-Authenticate": "Bearer"}
    return dict(given)


HANDLERS: Final[dict[int | type[Exception], Any]] = {Exception: _answer}
"""For Litestar: every error becomes a problem."""

PROBLEMS: Final = {
    status: ResponseSpec(
        Problem, description=phrase, media_type=MEDIA_TYPE, generate_examples=False
    )
    for status, phrase in {
        400: "The request can't be understood",
        401: "Nobody is signed in",
        403: "It is not allowed",
        404: "Nothing is there",
        409: "What is there does not allow it",
        412: "It was changed meanwhile",
        413: "The body is too large",
        415: "The body is of another type",
        422: "A value can't be stored",
        428: "The version that was read must be given",
        429: "Too many requests",
        500: "Something failed here",
        503: "The store can't be reached; nothing was changed",
        504: "The change may or may not have been made",
    }.items()
}
"""For the OpenAPI document: what any route may answer beside what it is for."""
