"""For `DatabaseErrorStorage`: its lists and their filters."""

from typing import Final

from storeproof.reference.database.lists import Listing
from storeproof.reference.errors.database.statements import EVENT_FILTERS, GROUP_FILTERS
from storeproof.reference.errors.database.tables import (
    ARCHIVE_COLUMNS,
    ARCHIVES,
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    archive_from,
    event_of,
    group_of,
)
from storeproof.reference.errors.entities import GroupSort
from storeproof.reference.errors.orders import ARCHIVE_ORDER, EVENT_ORDER, GROUP_ORDERS, sort_field

__all__ = ["ARCHIVE_LIST", "EVENT_LIST", "GROUP_LISTS"]

GROUP_LISTS: Final = {
    sort: Listing(
        order=GROUP_ORDERS[sort],
        columns=GROUP_COLUMNS,
        key=(GROUPS.c[sort_field(sort)], GROUPS.c.id),
        make=group_of,
        filters=GROUP_FILTERS,
    )
    for sort in GroupSort
}
EVENT_LIST = Listing(
    order=EVENT_ORDER,
    columns=EVENT_COLUMNS,
    key=(EVENTS.c.occurred_at, EVENTS.c.id),
    make=event_of,
    filters=EVENT_FILTERS,
)
ARCHIVE_LIST = Listing(
    order=ARCHIVE_ORDER,
    columns=ARCHIVE_COLUMNS,
    key=(ARCHIVES.c.first_seen, ARCHIVES.c.id),
    make=archive_from,
    filters={},
)
