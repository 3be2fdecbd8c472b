"""Messages of any kind that hypothesis makes, of values that no client would send."""

from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

M = TypeVar("M", bound=Message)

TEXTS = st.one_of(
    st.sampled_from(
        ["", "item-0000", "item-0003", "Dairy", "cf", "content", "user-01", "2026", "x" * 300]
    ),
    st.text(max_size=6),
)
FLOATS = st.floats(width=32)
WHOLE = st.sampled_from([0, 1, -1, 2, 20, 1_000, 1_001, 2**31 - 1, -(2**31)])
MOST_REPEATED = 3

SINGLE: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_FLOAT: FLOATS,
    FieldDescriptor.TYPE_DOUBLE: FLOATS,
    FieldDescriptor.TYPE_INT32: WHOLE,
    FieldDescriptor.TYPE_INT64: WHOLE,
}


@st.composite
def messages(draw: st.DrawFn, kind: type[M]) -> M:
    """Make a message: each field is there or not, with or without sense.

    Args:
        draw: given by hypothesis.
        kind: of message.
    """
    message = kind()
    _fill(draw, message)
    return message


def _fill(draw: st.DrawFn, message: Message) -> None:
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            getattr(message, field.name)[draw(_single(key))] = draw(_single(value))
        elif field.is_repeated:
            for _ in range(draw(st.integers(1, MOST_REPEATED))):
                _add(draw, message, field)
        elif field.message_type is not None:
            part = getattr(message, field.name)
            part.SetInParent()
            _fill(draw, part)
        else:
            setattr(message, field.name, draw(_single(field)))


def _add(draw: st.DrawFn, message: Message, field: Any) -> None:
    values = getattr(message, field.name)
    if field.message_type is not None:
        _fill(draw, values.add())
    else:
        values.append(draw(_single(field)))


def _single(field: Any) -> st.SearchStrategy[object]:
    if field.enum_type is not None:
        # One number that the enum does not have: a newer client may.
        numbers = [value.number for value in field.enum_type.values]
        return st.sampled_from([*numbers, max(numbers) + 1])
    return SINGLE[field.type]
