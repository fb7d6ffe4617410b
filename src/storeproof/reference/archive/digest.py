"""For archives: a digest of rows that does not depend on their order, and misses no change.

It is the sum, modulo 2^128, of the XXH3 of each row's canonical line (128 bits, seed 0), beside
the number of rows: the additive multiset hash of Clarke, Devadas, van Dijk, Gassend and Suh
(Incremental Multiset Hash Functions, ASIACRYPT 2003), without its key. XOR instead of the sum
would not see a row that is there twice, or whose two copies are lost together.

It finds accidents. Who may write an archive can make another one with the same digest, or
just write the new digest down: no archive proves who wrote it.
"""

from xxhash import xxh3_128_intdigest

__all__ = ["RowsDigest"]

_MODULUS = 2**128


class RowsDigest:
    """Adds rows up, given as lines; equal for the same rows in any order."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, lines: list[bytes]) -> None:
        """Adds rows, each as its canonical line without the line's end."""
        self.count += len(lines)
        self._sum = sum(map(xxh3_128_intdigest, lines), self._sum) % _MODULUS

    def hexdigest(self) -> str:
        """The sum, as 32 hexadecimal digits."""
        return f"{self._sum:032x}"
