"""For `storeproof demo`: a year of plausible data, and how storages come to hold it."""

from storeproof.reference.demo.filling import fill
from storeproof.reference.demo.people import PEOPLE, Person
from storeproof.reference.demo.year import DAYS, Year, make_year

__all__ = ["DAYS", "PEOPLE", "Person", "Year", "fill", "make_year"]
