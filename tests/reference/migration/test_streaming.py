"""A file of JSON is read value by value, and never held as a whole."""

from __future__ import annotations

import io
import json
from itertools import islice
from typing import Any

import msgspec
import pytest

from storeproof.reference.migration.streaming import CHUNK, LONGEST, values_in

VALUES: list[Any] = [
    {"email": "a@b", "nested": {"list": [1, "]", "[", '"', "\\", "\ud83d\ude00"]}},
    -12.5e3,
    "a, b",
    [],
    None,
    123456,
]


class Slow(io.StringIO):
    """Gives a character at a time, so that every place is where a text ends."""

    def read(self, size: int | None = -1) -> str:
        assert size is not None
        assert size >= 0
        return super().read(1)


@pytest.mark.parametrize("file", [io.StringIO, Slow])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(VALUES),
        json.dumps(VALUES, indent=4) + "\n\n",
        "\n".join(map(json.dumps, VALUES)),
        "\r\n".join(map(json.dumps, VALUES)) + "\r\n\r\n",
    ],
)
def test_every_value_is_given(file: type[io.StringIO], text: str) -> None:
    wanted = json.loads(json.dumps(VALUES))
    assert list(values_in(file(text))) == wanted


@pytest.mark.parametrize(("text", "count"), [("", 0), (" \n", 0), ("[]", 0), (" [ ] ", 0)])
def test_nothing_is_given_of_nothing(text: str, count: int) -> None:
    assert len(list(values_in(io.StringIO(text)))) == count


BROKEN = ["[", "[1", "[1,", "[1,]", "[1 2]", "[1]]", '{"a":', "1 nothing", "[NaN]", "[" * 5000, "x"]


@pytest.mark.parametrize("file", [io.StringIO, Slow])
@pytest.mark.parametrize("text", BROKEN)
def test_what_is_not_json_is_refused(file: type[io.StringIO], text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        list(values_in(file(text)))


class Counted(io.StringIO):
    """Counts the characters that were read."""

    given = 0

    def read(self, size: int | None = -1) -> str:
        text = super().read(size)
        self.given += len(text)
        return text


@pytest.mark.parametrize("text", [json.dumps, lambda values: "\n".join(map(json.dumps, values))])
def test_no_more_is_read_than_is_needed(text: Any) -> None:
    value = {"email": "x" * 1000}
    file = Counted(text([value] * 1000))
    taken = 0
    for number, _ in enumerate(values_in(file), 1):
        taken = number * 1000
        assert file.given - taken < 2 * CHUNK
    assert taken == 1_000_000


def test_a_value_without_an_end_is_not_looked_for_through_the_whole_file() -> None:
    file = Counted('[1, "' + "x" * (3 * LONGEST))
    with pytest.raises(msgspec.DecodeError):
        list(islice(values_in(file), 2))
    assert file.given <= LONGEST + 2 * CHUNK
