"""For teams that want the storages themselves: production code, proved by the harness.

Each component is a package of its own (`storeproof.reference.auth`, ...) with the same
seven files. Start from its `protocol.py`: the docstrings there are the law.
"""

__all__: list[str] = []
