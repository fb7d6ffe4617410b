"""The digest of rows: the published hash, added up."""

from itertools import permutations

import pytest

from storeproof.reference.archive.digest import RowsDigest

EMPTY = "99aa06d3014798d86001c324468d497f"
"""Of nothing, by the 128 bits of XXH3: what `xxhsum -H2` prints for an empty file."""
ROWS = [b'{"id":"ann"}', b'{"id":"bob"}', b'{"id":"eve"}']


def digest_of(*rows: bytes) -> tuple[int, str]:
    digest = RowsDigest()
    for row in rows:
        digest.add([row])
    return digest.count, digest.hexdigest()


def test_a_row_counts_as_its_published_hash() -> None:
    assert digest_of() == (0, "0" * 32)
    assert digest_of(b"") == (1, EMPTY)


def test_rows_are_added_modulo_2_to_the_128() -> None:
    # Eight times 0x99… is more than four times 2^128.
    assert digest_of(*[b""] * 8) == (8, f"{8 * int(EMPTY, 16) % 2**128:032x}")


def test_neither_order_nor_batches_matter() -> None:
    batched = RowsDigest()
    batched.add(ROWS)
    found = {digest_of(*rows) for rows in permutations(ROWS)}
    assert found == {(batched.count, batched.hexdigest())}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(ROWS[:2], id="one is lost"),
        pytest.param([*ROWS, ROWS[0]], id="one is there twice"),
        pytest.param([*ROWS, ROWS[0], ROWS[0]], id="one is there three times"),
        pytest.param([b'{"id":"eve"}', b'{"id":"ann"}', b'{"id":"bab"}'], id="one is changed"),
        pytest.param([b'{"id":"ann', b'"}{"id":"bob"}', b'{"id":"eve"}'], id="ends elsewhere"),
    ],
)
def test_other_rows_have_another_digest(others: list[bytes]) -> None:
    assert digest_of(*others) != digest_of(*ROWS)
