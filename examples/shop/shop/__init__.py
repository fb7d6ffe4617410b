"""The shop of the guides: orders, in memory and in SQLite."""
