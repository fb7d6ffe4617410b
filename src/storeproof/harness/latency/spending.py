"""A run that may look at its samples again and again keeps its error rate by what is here."""

from __future__ import annotations

__all__ = ["miss_of_look"]


def miss_of_look(look: int, miss: float) -> float:
    """Give how much of the whole probability of an error a look may use up; the first is 1.

    The looks share it out beforehand (alpha spending: Lan and DeMets 1983, Biometrika 70, 659). As
    nobody knows how many there will be, the nth gets 1/(n(n+1)) of it: all of them together never
    get more than the whole, however many they are, and whatever they share (Boole's inequality).

    >>> sum(miss_of_look(each, 0.01) for each in range(1, 1000)) < 0.01
    True
    """
    return miss / (look * (look + 1))
