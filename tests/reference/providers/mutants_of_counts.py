"""For the tests of the provider laws: what those of statistics and cooling must not let pass."""

from ..breaking import Mutant
from ..laws_and_mutants import together
from .mutants import dropped, edited, racing

COOLING: dict[str, list[Mutant]] = {
    "PROV-075": [
        edited("self._cooling[id] = min(at, self._cooling[id])", "pass"),
        edited("self._cooling[id] = min(at, self._cooling[id])", "del self._cooling[id]"),
        edited(
            "self._cooling[id] = min(at, self._cooling[id])",
            "self._cooling = dict.fromkeys(self._cooling, at)",
        ),
    ],
    "PROV-076": [
        edited("min(at, self._cooling[id])", "at"),
        edited(
            "        if id in self._cooling:\n", "        if self._cooling.setdefault(id, at):\n"
        ),
    ],
    "PROV-077": [
        edited(
            "max(until, self._cooling.get(id, until))",
            "max(until, self._cooling.get(id, until) + MINUTE)",
        ),
        edited("max(until, self._cooling.get(id, until))", "until"),
    ],
    "PROV-078": [
        dropped("self._provider(id)", "end_cooling"),
        edited(
            "        return self._cooling.get(id)\n",
            "        self._changed(id)\n        return self._cooling.get(id)\n",
        ),
    ],
    "PROV-079": [racing("cool_down")],
}
STATISTICS: dict[str, list[Mutant]] = {
    "PROV-080": [
        edited("start <= each.at < end", "minute_of(start) <= each.at < end"),
        edited("start <= each.at < end", "start <= each.at < minute_of(end)"),
        edited("start <= each.at < end", "start <= minute_of(each.at) < end"),
        edited("start <= each.at < end", "max(start, minute_of(start)) < each.at < end"),
    ],
    "PROV-081": [
        edited("in old[:limit]:", "in old[1:limit]:"),
        edited(
            "            del self._outcomes[outcome]",
            "            self._outcomes[outcome] = replace(self._outcomes[outcome], tokens=0)",
        ),
    ],
    "PROV-082": [racing("record_outcome", "purge_outcomes")],
}
MUTANTS = together(COOLING, STATISTICS)
