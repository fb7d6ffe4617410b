"""For authors of an error storage: the laws of the tags of metrics."""

from typing import Any

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.entities import Aggregation, Kind, MetricName, MetricQuery, Tag
from storeproof.reference.errors.laws.given import (
    HOUR,
    NOW,
    is_invalid,
    is_refused,
    point,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate

__all__: list[str] = []

EAST, WEST = Tag(key="region", value="east"), Tag(key="region", value="west")
NEW, OLD = Tag(key="release", value="2"), Tag(key="release", value="1")
BAD = (
    (Tag(key="", value="v"),),
    (Tag(key="k" * 129, value="v"),),
    (Tag(key="k", value="\0"),),
    (Tag(key="k", value="a" * 1001),),
    (Tag(key="k", value="1"), Tag(key="k", value="2")),
    tuple(Tag(key=f"{number}", value="") for number in range(101)),
)


def query(*tags: Tag, way: Aggregation = Aggregation.SUM) -> MetricQuery:
    fields: dict[str, Any] = {"name": MetricName("seconds"), "kind": Kind.HISTOGRAM}
    return MetricQuery(**fields, aggregation=way, start=NOW, end=NOW + HOUR, tags=tags)


@law("ERR-108", MUST)
async def points_keep_their_tags(storage: ErrorStorage) -> None:
    """A point's tags are kept by key; one with other tags is a Duplicate, in any order an equal."""
    recorded = await storage.record_metric(point("a", tags=(NEW, EAST)))
    assert recorded.tags == (EAST, NEW)
    assert await storage.record_metric(point("a", tags=(EAST, NEW))) == recorded
    for tags in ((), (EAST,), (WEST, NEW), (EAST, NEW, Tag(key="z", value=""))):
        await is_refused(storage.record_metric(point("a", tags=tags)), Duplicate("id"))


@law("ERR-109", MUST)
async def query_takes_points_with_all_tags(storage: ErrorStorage) -> None:
    """A query with tags takes the points that have all of them, with whatever others."""
    for number, tags in enumerate(((), (EAST,), (EAST, NEW), (EAST, OLD), (WEST, NEW))):
        await storage.record_metric(point(f"{number}", 10**number, tags=tags))
    for asked, total in (
        ((), 11111),
        ((EAST,), 1110),
        ((NEW,), 10100),
        ((NEW, EAST), 100),
        ((WEST, OLD), 0),
        ((Tag(key="Region", value="east"),), 0),
        ((Tag(key="east", value="region"),), 0),
    ):
        assert await storage.query_metric(query(*asked)) == total
    for way, found in (
        (Aggregation.COUNT, 2),
        (Aggregation.MIN, 100),
        (Aggregation.MAX, 10000),
        (Aggregation.P50, 100),
        (Aggregation.P99, 10000),
    ):
        assert await storage.query_metric(query(NEW, way=way)) == found


@law("ERR-110", MUST)
async def tags_are_compared_by_code_point(storage: ErrorStorage) -> None:
    """Tags whose keys or values differ by case, a space or composition are different ones."""
    texts = ("a", "A", "a ", "\u00e1", "a\u0301", '"', '\\"', "[]", "%", "1", "1.0")
    for number, text in enumerate(texts):
        tags = (Tag(key=text, value="v"), Tag(key="value of it", value=text))
        await storage.record_metric(point(text, 2**number, tags=tags))
    for number, text in enumerate(texts):
        for tag in (Tag(key=text, value="v"), Tag(key="value of it", value=text)):
            assert await storage.query_metric(query(tag)) == 2**number


@law("ERR-111", MUST)
async def bad_tags_of_metrics_are_refused(storage: ErrorStorage) -> None:
    """Tags with an invalid or repeated key, or too many, are refused in points and in queries."""
    for tags in BAD:
        await is_invalid(storage.record_metric(point("a", tags=tags)), "tags")
        await is_invalid(storage.query_metric(query(*tags)), "tags")
    assert await storage.query_metric(query(way=Aggregation.COUNT)) == 0
    largest = tuple(Tag(key=f"{number:0>128}", value="\u65e5" * 1000) for number in range(100))
    assert (await storage.record_metric(point("a", tags=largest))).tags == largest
    assert await storage.query_metric(query(*largest)) == 1
