"""For `storeproof schema check` and for suites: what a database's catalogue says, to compare it.

A catalogue maps the name of each thing in a schema (`users column email`, `users index
users_email`) to all that is known of it: types, collations, nullability, defaults, the
definitions of constraints, indexes, triggers, functions. The order of a table's columns is
left out, since no statement depends on it.
"""

from collections.abc import Mapping
from typing import TypeAlias

import sqlalchemy as sa

from storeproof.reference.database.compiling import SQLITE
from storeproof.reference.database.revisions.sqlite_tables import definitions

__all__ = ["Catalogue", "differences", "read_catalogue"]

Catalogue: TypeAlias = Mapping[str, str]


def read_catalogue(connection: sa.Connection, schema: str | None = None) -> Catalogue:
    """The catalogue of a schema of PostgreSQL (the current one), or of a SQLite database."""
    if connection.dialect.name == SQLITE:
        return _read_sqlite(connection)
    found = schema or connection.execute(sa.text("SELECT current_schema()")).scalar_one()
    rows = connection.execute(_POSTGRES, {"schema": found})
    quoted = connection.dialect.identifier_preparer.quote(found)
    qualified = "pg_temp." if found.startswith("pg_temp") else f"{quoted}."
    return {name: text.replace(qualified, "") for name, text in rows}


def differences(expected: Catalogue, found: Catalogue) -> list[str]:
    """A sentence for each thing that is missing, different, or too many."""
    missing = (f"{name} is missing: {expected[name]}" for name in expected.keys() - found.keys())
    more = (f"{name} should not be there: {found[name]}" for name in found.keys() - expected.keys())
    changed = (
        f"{name} is {found[name]}, not {expected[name]}"
        for name in expected.keys() & found.keys()
        if expected[name] != found[name]
    )
    return sorted([*missing, *more, *changed])


def _read_sqlite(connection: sa.Connection) -> Catalogue:
    found: dict[str, str] = {}
    for kind, name, table, sql in connection.execute(_SQLITE):
        if kind == "table":
            found[f"{name} table"] = sql[sql.rindex(")") + 1 :].strip()
            for text in definitions(sql):
                found[f"{name} {_kind_and_name(text)}"] = text
        else:
            found[f"{table} {kind} {name}"] = " ".join(sql.split())
    return found


def _kind_and_name(definition: str) -> str:
    words = definition.replace('"', "").split()
    return f"constraint {words[1]}" if words[0].upper() == "CONSTRAINT" else f"column {words[0]}"


_SQLITE = sa.text(
    "SELECT type, name, tbl_name, sql FROM sqlite_master "
    "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)

_POSTGRES = sa.text(
    r"""
WITH relations AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = :schema)
SELECT concat(relname, CASE relkind WHEN 'r' THEN ' table' ELSE concat(' relation ', relkind) END),
       concat_ws(' ', concat('row security ', relrowsecurity), CAST(reloptions AS text),
                 CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
  FROM relations WHERE relkind NOT IN ('i', 'I', 't')
UNION ALL
SELECT r.relname || ' column ' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), 'COLLATE ' || l.collname,
                 CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
                 'IDENTITY ' || nullif(CAST(a.attidentity AS text), ''),
                 'GENERATED ' || nullif(CAST(a.attgenerated AS text), ''))
  FROM relations r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
 WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT r.relname || ' constraint ' || k.conname,
       pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ', not validated' END
  FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 'n'
UNION ALL
SELECT t.relname || ' index ' || r.relname,
       pg_get_indexdef(r.oid) || CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END
  FROM relations r JOIN pg_index i ON i.indexrelid = r.oid JOIN pg_class t ON t.oid = i.indrelid
 WHERE t.relkind IN ('r', 'p', 'm')
UNION ALL
SELECT r.relname || ' trigger ' || t.tgname, pg_get_triggerdef(t.oid)
  FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT CAST(CAST(p.oid AS regprocedure) AS text) || ' function', pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = :schema AND p.prokind IN ('f', 'p')
UNION ALL
SELECT t.typname || ' type', concat(t.typtype, ' ',
         (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e
           WHERE e.enumtypid = t.oid), format_type(t.typbasetype, t.typtypmod))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname = :schema AND t.typtype IN ('e', 'd')
""".replace("::", r"\:\:")
)
