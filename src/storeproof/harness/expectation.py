"""The last call of a printed program is asserted in the words that are found here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Rules, difference, is_time
from storeproof.harness.structure import field_values
from storeproof.harness.templates import Build, Reference, is_path, references_in, resolve

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.program import Program
    from storeproof.harness.running import Outcome

__all__ = ["Expectation"]


class Expectation:
    """What the last call should give, with references in the place of what storages make.

    What an earlier call gave is referred to there; what the last call makes anew is referred to in
    its own result, so that only its presence and type are asserted.
    """

    def __init__(
        self,
        contract: Contract,
        program: Program,
        expected: Sequence[Outcome],
        actual: Outcome | None,
    ) -> None:
        self._contract, self._actual = contract, actual
        self._last = len(program.steps) - 1
        self._known: dict[tuple[object, type, str], Reference] = {}
        self._comparing = False
        for index, (step, outcome) in enumerate(zip(program.steps, expected, strict=True)):
            self._comparing = index == self._last
            unordered = step.operation in contract.unordered
            at = None if unordered and not self._comparing else Reference(index, "")
            made = contract.kind_of_result(step.operation)
            self.template = self._template(outcome.value, at, made)
        self._made_as = made
        self._expected = expected[-1].value

    def first(self, value: Any) -> Reference | None:
        """Give where a value that storages made was made, or first seen."""
        key = _key(value)
        return next((at for known, at in self._known.items() if known[1:] == key), None)

    def attribute(self, value: Any) -> Any:
        """Give what an attribute of the expected error should be."""
        return self._template(value, None, None)

    @property
    def refers_to_itself(self) -> bool:
        return any(each.call == self._last for each in references_in(self.template))

    @property
    def referred(self) -> set[int]:
        """The calls whose results are referred to."""
        conditions = [value for _, _, value in self.conditions()]
        return {each.call for each in references_in([self.template, conditions])}

    def conditions(self) -> Iterator[tuple[Reference, str, Any]]:
        """Give what else must hold of what the last call made: where, a word, a value.

        Only what does not hold on the storage is given.
        """
        results = [None] * self._last
        for at in dict.fromkeys(references_in(self.template)):
            if at.call != self._last:
                continue
            wanted = resolve(at, [*results, self._expected])
            try:
                found = resolve(at, [*results, getattr(self._actual, "value", None)])
            except (LookupError, AttributeError, TypeError):
                continue
            yield from self._conditions(at, wanted, found)

    def _conditions(
        self, at: Reference, wanted: Any, found: Any
    ) -> Iterator[tuple[Reference, str, Any]]:
        if found is None:
            yield at, "is not None", None
        elif type(found) is not type(wanted):
            yield at, "is of type", type(wanted)
        elif (
            is_time(wanted) and difference(wanted, found) and _is_aware(wanted) != _is_aware(found)
        ):
            yield at, "is aware", _is_aware(wanted)
        elif not is_time(wanted) and self._only_names_differ():
            others = [each for each in self._known.values() if each.call != self._last]
            if others:
                yield at, "is none of", tuple(dict.fromkeys(others))

    def _only_names_differ(self) -> bool:
        rules = self._contract.rules
        lenient = Rules(rules.generated, rules.canonical, rules.generated | {"any name"})
        value = getattr(self._actual, "value", None)
        made = self._made_as and "any name"
        return difference(self._expected, value, rules=lenient, made=made) is None

    def _template(self, value: Any, at: Reference | None, made: object | None) -> Any:
        if made is not None:
            return self._made(value, at, made)
        fields = field_values(value)
        if fields is not None:
            return self._entity(value, fields, at)
        if isinstance(value, Mapping):
            items = {
                self._template(key, None, None): self._template(each, _inner(at, key), None)
                for key, each in value.items()
            }
            return items if references_in(items) else value
        if isinstance(value, list | tuple | Set):
            parts = [
                self._template(each, None if isinstance(value, Set) else _inner(at, index), None)
                for index, each in enumerate(value)
            ]
            return _like(value, parts) if references_in(parts) else value
        return self._literal(value, at)

    def _entity(self, value: Any, fields: Mapping[str, Any], at: Reference | None) -> Any:
        cls = type(value)
        parts = {
            name: self._template(
                each, at and replace(at, path=f"{at.path}.{name}"), self._kind(cls, name)
            )
            for name, each in fields.items()
        }
        return Build(cls, parts) if references_in(parts) else value

    def _kind(self, cls: type, name: str) -> object | None:
        return self._contract.rules.kind(cls, name)

    def _made(self, value: Any, at: Reference | None, made: object) -> Any:
        if value is None:
            return None
        if isinstance(value, list | tuple) and field_values(value) is None:
            parts = [self._made(each, _inner(at, i), made) for i, each in enumerate(value)]
            return _like(value, parts)
        if made in self._contract.rules.cursors or is_time(value):
            return at or value
        known = self._known.get((made, *_key(value)))
        if known is None and at is not None:
            self._known[(made, *_key(value))] = at
        return known or at or value

    def _literal(self, value: Any, at: Reference | None) -> Any:
        """A value may stand for another one that storages made, unless it is given as it is."""
        if not self._comparing or self._is_given(value, at):
            return value
        return self.first(value) or value

    def _is_given(self, value: Any, at: Reference | None) -> bool:
        if at is None or self._actual is None:
            return False
        try:
            found = resolve(at, [*([None] * self._last), self._actual.value])
        except (LookupError, AttributeError, TypeError):
            return False
        return difference(value, found) is None


def _inner(at: Reference | None, key: Any) -> Reference | None:
    path = f"[{key!r}]"
    if at is None or type(key) not in (int, str) or not is_path(path):
        return None
    return replace(at, path=at.path + path)


def _like(value: Any, parts: list[Any]) -> Any:
    return type(value)(parts) if type(value) in (list, tuple, set, frozenset) else parts


def _key(value: Any) -> tuple[type, str]:
    return type(value), repr(value)


def _is_aware(value: Any) -> bool:
    return getattr(value, "tzinfo", None) is not None
