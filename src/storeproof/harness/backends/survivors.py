"""Authors of storages look here for the tables that outlive every emptying of a store."""

from __future__ import annotations

from typing import Final

__all__ = ["SURVIVING_TABLES"]

SURVIVING_TABLES: Final = ("alembic_version", "storeproof_schema_version")
"""Emptying a store between programs deletes the rows of every table but these: a storage that
lost its schema's version would create or upgrade its tables a second time."""
