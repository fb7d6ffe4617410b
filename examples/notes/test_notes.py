from notes import DatabaseNotes, InMemoryNotes, NoteExists, NoteMissing, Notes

from storeproof import Contract

contract = Contract(
    Notes,  # the Protocol: operations, types and, in its docstrings, the law
    model=InMemoryNotes,  # what you have: the executable specification
    storages={"sqlite": DatabaseNotes.open},  # how the new one is opened, by SQLAlchemy URL
    errors=(NoteExists, NoteMissing),  # anything else that is raised is a failure
)
TestNotes = contract.suite()
