"""What protoc makes of tasks.proto, which nobody need have to run these tests."""

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.internal import builder

_FIELD = descriptor_pb2.FieldDescriptorProto
_FILE = descriptor_pb2.FileDescriptorProto(name="tasks.proto", package="tasks", syntax="proto3")
_TASK = _FILE.message_type.add(name="Task")
_TASK.field.add(name="id", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
_TASK.field.add(name="title", number=2, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
_TASK.field.add(name="points", number=3, type=_FIELD.TYPE_INT32, label=_FIELD.LABEL_OPTIONAL)
_TASK.field.add(name="tags", number=4, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_REPEATED)

DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(_FILE.SerializeToString())
builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, "tasks_pb2", globals())
