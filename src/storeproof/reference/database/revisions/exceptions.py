"""For callers of `upgrade` and `downgrade`: what is in their way.

SchemaError
    HistoryBroken       the files are no line of revisions: an author's mistake
    UnknownRevision     no revision has this number
    LossNotAccepted     a downgrade would take data away
    RevisionFailed      a revision did not come to its end
"""

from collections.abc import Sequence

__all__ = [
    "HistoryBroken",
    "LossNotAccepted",
    "RevisionFailed",
    "SchemaError",
    "UnknownRevision",
]


class SchemaError(Exception):
    """A database's schema was not changed as it was to be; the text says what to do."""


class HistoryBroken(SchemaError):
    """The files of a history are not one line of complete revisions."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"The revisions are no history: {self.problem}. Nothing was changed."


class UnknownRevision(SchemaError):
    """No revision has the number `target`; `last` is the highest."""

    def __init__(self, target: int, last: int) -> None:
        super().__init__(target, last)
        self.target = target
        self.last = last

    def __str__(self) -> str:
        return (
            f"There is no revision {self.target}. Nothing was changed; "
            f"give a number from 0 (no tables) to {self.last}."
        )


class LossNotAccepted(SchemaError):
    """A downgrade would lose something; `losses` are sentences, one for each revision."""

    def __init__(self, losses: Sequence[str]) -> None:
        super().__init__(tuple(losses))
        self.losses = tuple(losses)

    def __str__(self) -> str:
        return (
            f"The downgrade would lose data: {'; '.join(self.losses)}. Nothing was changed; "
            "export what you need, then repeat the command with --accept-loss."
        )


class RevisionFailed(SchemaError):
    """Revision `revision` did not come to its end; the driver's error is chained.

    `stays`: whether some of its steps may have been made; they are passed over when it is
    tried again. Otherwise nothing of it was done. Earlier revisions are complete.
    """

    def __init__(self, revision: str, reason: str, *, stays: bool) -> None:
        super().__init__(revision, reason, stays)
        self.revision = revision
        self.reason = reason
        self.stays = stays

    def __str__(self) -> str:
        left = "What it has done stays" if self.stays else "Nothing of it was done"
        return (
            f"Revision {self.revision} failed ({self.reason}). {left}; "
            "mend the cause, then repeat the command: it goes on where it stopped."
        )
