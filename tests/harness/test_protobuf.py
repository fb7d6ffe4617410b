"""Protobuf messages are drawn, saved, printed and referred to by their descriptors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Protocol

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf.internal import builder
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from storeproof import Contract
from storeproof.harness.apart.messages import pack, unpack
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.encoding import decode, encode
from storeproof.harness.exceptions import ContractError
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.running import Outcome
from storeproof.harness.source import Source
from storeproof.harness.templates import Build, Reference
from storeproof.harness.values import Draw

FIELD = descriptor_pb2.FieldDescriptorProto


def generated() -> Any:
    """Make a module as protoc does for notes.proto, which somebody moved into the package moved."""
    file = descriptor_pb2.FileDescriptorProto(name="notes.proto", package="notes", syntax="proto3")
    page = file.message_type.add(name="Ask")
    page.field.add(name="token", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
    answer = file.message_type.add(name="Answer")
    answer.field.add(name="next", number=1, type=FIELD.TYPE_STRING, label=FIELD.LABEL_OPTIONAL)
    module: Any = ModuleType("moved.notes_pb2")
    pool = descriptor_pool.Default()
    module.DESCRIPTOR = pool.AddSerializedFile(file.SerializeToString())
    builder.BuildMessageAndEnumDescriptors(module.DESCRIPTOR, vars(module))
    builder.BuildTopDescriptorsAndMessages(module.DESCRIPTOR, "notes_pb2", vars(module))
    sys.modules["moved"] = ModuleType("moved")
    sys.modules["moved.notes_pb2"] = module
    return module


NOTES = generated()
Ask: Any = NOTES.Ask
Answer: Any = NOTES.Answer


class Keeping(Protocol):
    async def keep(self, struct: Struct, value: Value, moment: Timestamp) -> None:
        """Keeps them."""

    async def ask(self, ask: Ask) -> Answer:
        """Answers."""


class Model:
    async def keep(self, struct: Struct, value: Value, moment: Timestamp) -> None:
        return

    async def ask(self, ask: Any) -> Any:
        return Answer(next="more")


CONTRACT = Contract(
    Keeping,
    model=Model,
    refs={"Ask.token": "Answer.next"},
    generated=["Answer.next"],
)


def drawn(operation: str, pools: Pools) -> list[dict[str, Any]]:
    drawer = CallDrawer(CONTRACT)
    return [drawer.arguments(Draw(seed), pools, operation) for seed in range(200)]


def test_messages_are_drawn_that_have_a_json_form() -> None:
    found = drawn("keep", Pools(CONTRACT))
    for message in (each for arguments in found for each in arguments.values()):
        json_format.MessageToDict(message)
    kinds = {arguments["value"].WhichOneof("kind") for arguments in found}
    assert kinds >= {"null_value", "number_value", "string_value", "list_value", "struct_value"}
    assert any(arguments["moment"].nanos % 1000 for arguments in found), (
        "none is below a microsecond"
    )


def test_a_message_of_moved_code_is_saved_and_printed_by_where_it_can_be_imported() -> None:
    message = Ask(token="a")
    assert encode(message)["$entity"] == "moved.notes_pb2:Ask"
    assert decode(encode(message)) == message
    source = Source()
    assert source.expression(message).replace("'", '"') == 'Ask(token="a")'
    assert source.import_lines() == ["from moved.notes_pb2 import Ask"]


def test_a_field_of_a_message_takes_what_a_result_gave() -> None:
    pools = Pools(CONTRACT)
    pools.add_call(Call("ask", {"ask": Ask()}), 0, Outcome(value=Answer(next="more")))
    asked = [arguments["ask"] for arguments in drawn("ask", pools)]
    referring = [each for each in asked if isinstance(each, Build)]
    assert Build(Ask, {"token": Reference(0, ".next")}) in referring


@pytest.mark.parametrize("key", ["Ask.tokens", "Asks.token"])
def test_refs_of_a_field_that_no_message_has_are_refused(key: str) -> None:
    with pytest.raises(ContractError, match="there is no field"):
        Contract(Keeping, model=Model, refs={key: "Answer.next"})


def test_messages_arrive_in_another_process_also_where_their_code_was_moved() -> None:
    moment, asked = Timestamp(seconds=1, nanos=2), Ask(token="é")

    arrived = unpack(pack({"asked": [asked], "moment": moment, "class": Ask}))

    assert arrived == {"asked": [asked], "moment": moment, "class": Ask}
    assert type(arrived["asked"][0]) is Ask
