"""For authors of an error storage: the orders of its lists."""

from typing import Final

from storeproof.reference.errors.archives import Archive
from storeproof.reference.errors.entities import ErrorEvent, ErrorGroup, GroupSort
from storeproof.reference.lists import Order, read_integer, read_time

__all__ = ["ARCHIVE_ORDER", "EVENT_ORDER", "GROUP_ORDERS", "sort_field"]


def sort_field(sort: GroupSort) -> str:
    """The field of a group that comes before its id in this order."""
    return sort.value if sort in (GroupSort.LAST_SEEN, GroupSort.COUNT) else "created_at"


def _by(sort: GroupSort) -> Order[ErrorGroup]:
    read = read_integer(1) if sort is GroupSort.COUNT else read_time
    return Order(
        ErrorGroup,
        {sort_field(sort): read, "id": str},
        name=f"ErrorGroup {sort}",
        descending=sort is not GroupSort.OLDEST,
    )


GROUP_ORDERS: Final = {sort: _by(sort) for sort in GroupSort}
EVENT_ORDER = Order(ErrorEvent, {"occurred_at": read_time, "id": str}, descending=True)
ARCHIVE_ORDER = Order(Archive, {"first_seen": read_time, "id": str})
