"""For authors of routes: versions as entity tags (RFC 9110, 8.8.3 and 13.1).

What has a version is answered with `ETag: "3"`. To change it, the client sends the tag that it
read as `If-Match`; to make what must not be there yet, `If-None-Match: *`.
"""

import re
from typing import Annotated, Any, Final

from litestar import Response
from litestar.params import HeaderParameter

from storeproof.reference.web.problems import Refusal

__all__ = ["IfMatch", "IfNoneMatch", "expected_version", "tagged"]

IfMatch = Annotated[str | None, HeaderParameter(name="If-Match")]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]

_TAG: Final = re.compile(r'"([0-9]{1,19})"')


def tagged(content: Any, version: int) -> Response[Any]:
    """The answer with its entity tag."""
    return Response(content, headers={"ETag": f'"{version}"'})


def expected_version(if_match: str | None, if_none_match: str | None = None) -> int:
    """The version that the client read; 0 where it says that there is none.

    Raises Refusal: 428 where it says neither, 412 for a tag that was never given out.
    """
    if if_none_match is not None and if_none_match.strip() == "*" and if_match is None:
        return 0
    if if_match is None:
        raise Refusal(
            428, "version-required", "Send the ETag that you read as If-Match, then change it."
        )
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise Refusal(412, "version-conflict", "If-Match is no tag of this API; read it again.")
    return int(found[1])
