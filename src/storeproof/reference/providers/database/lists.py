"""For `DatabaseProviderStorage`: its lists and their filters."""

from functools import partial

import sqlalchemy as sa

from storeproof.reference.database.columns import TEXT, members
from storeproof.reference.database.entities import bind, entity
from storeproof.reference.database.lists import Listing, equal, list_of
from storeproof.reference.providers.database.tables import PROVIDERS, SECRETS, USAGE
from storeproof.reference.providers.entities import Cooling
from storeproof.reference.providers.orders import (
    COOLING_ORDER,
    PROVIDER_ORDER,
    SECRET_ORDER,
    USAGE_ORDER,
)

__all__ = ["COOLING_LIST", "PROVIDER_LIST", "SECRET_LIST", "USAGE_LIST"]

_MODEL = members(PROVIDERS.c.models)
_SERVES = sa.exists().select_from(_MODEL).where(_MODEL.c.value == sa.bindparam("model", type_=TEXT))

PROVIDER_LIST = list_of(
    PROVIDER_ORDER,
    PROVIDERS,
    equal(PROVIDERS.c.kind, PROVIDERS.c.enabled) | {"model": _SERVES},
    sa.not_(PROVIDERS.c.deleted),
)
SECRET_LIST = list_of(
    SECRET_ORDER,
    SECRETS,
    equal(SECRETS.c.provider) | {"other_than": SECRETS.c.key != bind(SECRETS.c.key, "other_than")},
)
USAGE_LIST = list_of(USAGE_ORDER, USAGE, equal(USAGE.c.minute))
COOLING_LIST = Listing(
    order=COOLING_ORDER,
    columns=(PROVIDERS.c.id, PROVIDERS.c.cooling_until),
    key=(PROVIDERS.c.id,),
    make=partial(entity, Cooling),
    filters={"now": PROVIDERS.c.cooling_until > bind(PROVIDERS.c.cooling_until, "now")},
)
