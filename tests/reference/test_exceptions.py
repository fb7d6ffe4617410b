"""The error tree: closed, copyable, and equal by class and attributes."""

import copy
import pickle

import pytest

from storeproof.reference import exceptions
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    OutcomeUnknown,
    StorageError,
    Unavailable,
    VersionConflict,
)

EXAMPLES = [
    (InvalidValue("limit", "must be from 1 to 1000"), ["limit", "must be from 1 to 1000"]),
    (NotFound("user", "u1"), ["user", "'u1'"]),
    (VersionConflict("user", "u1", 3), ["user", "'u1'", "3"]),
    (Duplicate("email"), ["email"]),
    (InUse("role", "admin", "grant"), ["role", "'admin'", "grant"]),
    (Unavailable("connection lost"), ["connection lost"]),
    (OutcomeUnknown("connection lost"), ["connection lost"]),
]


def test_every_class_of_the_tree_has_an_example() -> None:
    classes = {getattr(exceptions, name) for name in exceptions.__all__} - {StorageError}
    assert {type(error) for error, _ in EXAMPLES} == classes
    assert all(issubclass(kind, StorageError) for kind in classes)


@pytest.mark.parametrize(("error", "parts"), EXAMPLES)
def test_copies_keep_class_attributes_and_text(error: StorageError, parts: list[str]) -> None:
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own bytes
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)
    for part in parts:
        assert part in str(error)


def test_the_tree_in_the_docstring_names_every_class() -> None:
    assert exceptions.__doc__ is not None
    tree = [
        line.split("── ")[1].split("(")[0]
        for line in exceptions.__doc__.splitlines()
        if "──" in line
    ]
    assert sorted(["StorageError", *tree]) == exceptions.__all__
