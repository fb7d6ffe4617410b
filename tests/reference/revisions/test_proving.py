"""The checks of histories pass on a good one, and each is seen to fail on broken ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from storeproof.reference.database import Schema
from storeproof.reference.database.revisions import SchemaError, proving
from storeproof.reference.database.revisions.proving import CHECKS, Check, Proof

from .histories import LANG, LETTERS, PARCELS, PARTS, SUBJECT, TURNED, Part, tables, write


def prove(folder: Path, parts: tuple[Part, ...], check: Check, url: str) -> None:
    asyncio.run(check(Proof(write(folder, parts), tables()), url))


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.__name__)
def test_a_good_history_passes(check: Check, url: str, tmp_path: Path) -> None:
    prove(tmp_path / "history", PARTS, check, url)


@dataclass(frozen=True)
class Mutant:
    """One defect: a text of the good history, another one in its place, and who must see it."""

    name: str
    text: str
    old: str
    new: str
    check: Check
    says: str
    loses: str | None = "said"

    def parts(self) -> tuple[Part, ...]:
        assert self.old in self.text
        changed = self.text.replace(self.old, self.new)
        return tuple(
            (component, loses if self.loses == "said" else self.loses, changed)
            if text == self.text
            else (component, loses, text)
            for component, loses, text in PARTS
        )


RETURNS, SURVIVE = proving.revisions_return, proving.rows_survive
MUTANTS = (
    Mutant(
        "a downgrade forgets an index that is left behind",
        PARCELS,
        "def downgrade",
        '    op.create_index("parcels_weight", "parcels", ["weight"])\n\ndef downgrade',
        proving.models_are_the_tables,
        "parcels index parcels_weight should not be there",
    ),
    Mutant(
        "a downgrade leaves a table behind",
        PARCELS,
        'op.drop_table("parcels")',
        "pass",
        RETURNS,
        "0003 undone:\n- parcels",
    ),
    Mutant(
        "a downgrade leaves a column behind",
        SUBJECT,
        'op.drop_column("letters", "subject")',
        "pass",
        RETURNS,
        "letters column subject should not be there",
    ),
    Mutant(
        "a downgrade forgets an index",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")',
        RETURNS,
        "letters index letters_subject_index is missing",
    ),
    Mutant(
        "a downgrade makes an index of the same name over another column",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")\n'
        '    op.create_index("letters_subject_index", "letters", ["body"])',
        RETURNS,
        "letters index letters_subject_index is",
    ),
    Mutant(
        "a downgrade makes an index unique",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")\n'
        '    op.create_index("letters_subject_index", "letters", ["subject"], unique=True)',
        RETURNS,
        "letters index letters_subject_index is",
    ),
    Mutant(
        "a downgrade forgets the condition of an index",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_at_index", "letters")\n'
        '    op.create_index("letters_at_index", "letters", ["at"])',
        RETURNS,
        "letters index letters_at_index is",
    ),
    Mutant(
        "a downgrade changes a type",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")\n'
        '    op.drop_column("letters", "subject")\n'
        '    op.add_column("letters", sa.Column("subject", sa.String(9)))\n'
        '    op.create_index("letters_subject_index", "letters", ["subject"])',
        RETURNS,
        "letters column subject is",
    ),
    Mutant(
        "a downgrade adds a default",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")\n'
        '    op.drop_column("letters", "subject")\n'
        '    op.add_column("letters", sa.Column("subject", TEXT, server_default="none"))\n'
        '    op.create_index("letters_subject_index", "letters", ["subject"])',
        RETURNS,
        "letters column subject is",
    ),
    Mutant(
        "a downgrade loses the values of a column that it makes again",
        TURNED,
        "def downgrade():",
        'def downgrade():\n    op.drop_index("letters_subject_index", "letters")\n'
        '    op.drop_column("letters", "subject")\n'
        '    op.add_column("letters", sa.Column("subject", TEXT))\n'
        '    op.create_index("letters_subject_index", "letters", ["subject"])',
        SURVIVE,
        "letters: subject was",
    ),
    Mutant(
        "an upgrade makes a column that its downgrade silently loses",
        SUBJECT,
        "def upgrade",
        "def upgrade",
        SURVIVE,
        "0002 undone and made again",
        loses=None,
    ),
    Mutant(
        "an upgrade deletes a row",
        TURNED,
        "def upgrade():",
        "def upgrade():\n    op.execute(\"DELETE FROM parcels WHERE id LIKE '4%'\")",
        SURVIVE,
        "0005 made:\n- parcels:",
    ),
    Mutant(
        "an upgrade changes values in a column that it does not name",
        TURNED,
        "def upgrade():",
        'def upgrade():\n    op.execute("UPDATE parcels SET weight = weight / 2 * 2")',
        SURVIVE,
        "parcels: weight was",
    ),
    Mutant(
        "an upgrade swaps the values of rows",
        TURNED,
        "def upgrade():",
        'def upgrade():\n    op.execute("UPDATE parcels SET weight = CASE weight '
        "WHEN e.low THEN e.high WHEN e.high THEN e.low ELSE weight END "
        'FROM (SELECT min(weight) AS low, max(weight) AS high FROM parcels) AS e")',
        SURVIVE,
        "parcels: values have moved to other rows",
    ),
    Mutant(
        "an upgrade makes a column that may be null",
        LANG,
        '    steps.require("letters", "lang")\n',
        "",
        proving.models_are_the_tables,
        "letters column lang is",
    ),
    Mutant(
        "an upgrade leaves a default behind",
        LANG,
        'sa.Column("lang", TEXT)',
        'sa.Column("lang", TEXT, server_default="en")',
        proving.models_are_the_tables,
        "letters column lang is",
    ),
    Mutant(
        "an upgrade forgets what a reference does when its row goes",
        LETTERS,
        ', ondelete="CASCADE"',
        "",
        proving.models_are_the_tables,
        "letters constraint letters_answers_fkey is",
    ),
    Mutant(
        "an upgrade forgets a check",
        LETTERS,
        '        sa.CheckConstraint("n <> 12345", name="letters_n_check"),\n',
        "",
        proving.models_are_the_tables,
        "letters constraint letters_n_check is missing",
    ),
    Mutant(
        "an upgrade orders text in another way",
        LETTERS,
        'sa.Column("body", TEXT)',
        'sa.Column("body", sa.Text())',
        proving.models_are_the_tables,
        "letters column body is",
    ),
    Mutant(
        "an upgrade makes a table that the code does not know",
        PARCELS,
        "def upgrade():",
        'def upgrade():\n    op.create_table("other", sa.Column("id", TEXT))',
        proving.models_are_the_tables,
        "other is no table of the code",
    ),
    Mutant(
        "a revision of one component needs the tables of another",
        PARCELS,
        "def upgrade():",
        'def upgrade():\n    op.execute("DELETE FROM letters")',
        proving.components_stand_alone,
        "0003 failed",
    ),
    Mutant(
        "a gradual revision does what can't be done again",
        LANG,
        'steps.add_column("letters", ',
        'op.add_column("letters", ',
        proving.gradual_revisions_go_on,
        "0004 failed",
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name.replace(" ", "_"))
def test_a_broken_history_fails(mutant: Mutant, url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as told:
        prove(tmp_path / "history", mutant.parts(), mutant.check, url)
    assert mutant.says in str(told.value)


def test_every_check_fails_on_something() -> None:
    assert {mutant.check for mutant in MUTANTS} == {*CHECKS} - {proving.history_is_one_line}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda letters, parcels: (replace(letters, version=4), parcels), "'letters': 4"),
        (lambda letters, _: (letters,), "parcels has no tables in the code"),
    ],
)
def test_the_code_must_need_what_the_history_makes(
    change: Callable[[Schema, Schema], tuple[Schema, ...]], says: str, url: str, tmp_path: Path
) -> None:
    proof = Proof(write(tmp_path / "history"), change(*tables()))
    with pytest.raises(proving.SchemaBroken, match=says):
        asyncio.run(proving.history_is_one_line(proof, url))
