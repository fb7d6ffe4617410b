"""For authors of pages: the form that a browser sends."""

from litestar.connection import Request
from litestar.enums import RequestEncodingType

from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.routes import Connection

__all__ = ["form_of"]


async def form_of(connection: Connection) -> dict[str, str]:
    """Its fields, each of which is text and there once.

    Raises Refusal: 415 for another type of body, 400 for a field that is there twice.
    """
    assert isinstance(connection, Request), "only HTTP requests have forms"
    if connection.content_type[0] != RequestEncodingType.URL_ENCODED:
        raise Refusal(415, "form", "This page takes the forms that it shows, and nothing else.")
    items = list((await connection.form()).multi_items())
    fields = dict(items)
    if len(fields) < len(items):
        raise Refusal(400, "form", "A field of the form was sent twice.")
    return fields
