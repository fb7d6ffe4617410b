"""For everyone who calls or writes a cost storage: the errors that only costs have.

StorageError
├── BudgetExceeded(budget, available)      the reservation does not fit
├── BudgetOverflow(budget)                 the budget's sums can't grow that far
└── ReservationClosed(id, state)           it ended in another way before
"""

from decimal import Decimal

from storeproof.reference.exceptions import StorageError

__all__ = ["BudgetExceeded", "BudgetOverflow", "ReservationClosed"]


class BudgetExceeded(StorageError):
    """The amount for `budget` is more than is `available` in it; nothing was reserved."""

    def __init__(self, budget: str, available: Decimal) -> None:
        super().__init__(budget, available)
        self.budget = budget
        self.available = available

    def __str__(self) -> str:
        return (
            f"The budget {self.budget!r} has {self.available} left. Nothing was reserved; "
            "ask for less, wait for its next window, or raise its limit."
        )


class BudgetOverflow(StorageError):
    """What is spent or reserved in `budget` would pass 4,000,000,000 units of its currency."""

    def __init__(self, budget: str) -> None:
        super().__init__(budget)
        self.budget = budget

    def __str__(self) -> str:
        return (
            f"The sums of the budget {self.budget!r} can't grow that far. Nothing was changed; "
            "split the budget."
        )


class ReservationClosed(StorageError):
    """The reservation `id` has ended already, as `state` says; nothing was changed."""

    def __init__(self, id: str, state: str) -> None:
        super().__init__(id, state)
        self.id = id
        self.state = state

    def __str__(self) -> str:
        return f"The reservation {self.id!r} is {self.state} already. Make a new one."
