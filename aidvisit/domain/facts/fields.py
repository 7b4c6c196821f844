"""marshmallow fields as strict as the facts: nothing is converted, a body is right or it is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields

from aidvisit.domain import place
from sync.op import MAX_INT, is_uuid

NAME, ADDRESS, NOTE = 100, 300, 2000

Messages = dict[str, str | list[Any] | dict[Any, Any]]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TYPE = {"type": "应为一组字段(对象)。 / This must be an object."}
_COMMON: Messages = {
    "required": "必须填写。 / This is missing.",
    "null": "不能为空。 / This may not be empty.",
    "validator_failed": "内容不对。 / This is not valid.",
}


class Body(Schema):
    """The schema of a body, or of an object in it. Fields that it does not know are kept."""

    class Meta:
        unknown = INCLUDE

    error_messages = _TYPE


class Strict(fields.Field[Any]):
    """A field that reads a JSON value as it is. `personal`: an erasure takes it away, if its metadata do not differ.

    Raises: ValidationError, from `read`, with words for people.
    """

    default_error_messages = _COMMON
    personal = False

    def read(self, value: Any) -> Any:
        """Any value but null is right."""
        return value

    def _deserialize(self, value: Any, *_args: Any, **_rest: Any) -> Any:
        return self.read(value)


class Text(Strict):
    """Text of at most `longest` characters; a required one is not blank.

    A text that is not trimmed or not NFC is let through: tidying is its author's duty and nobody else's. What people
    write may say anything of anybody, so it is personal; what has a form of its own mostly is not.
    """

    personal = True

    def __init__(self, longest: int = NAME, **rest: Any) -> None:
        super().__init__(**rest)
        self.longest = longest

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("应为文字。 / This must be text.")
        if len(value) > self.longest:
            words = f"太长,最多 {self.longest} 个字。 / Too long: at most {self.longest} characters."
            raise ValidationError(words)
        if self.required and not value.strip():
            raise ValidationError("不能空白。 / This may not be blank.")
        return value


class Matching(Text):
    """Text that a whole pattern fits; `message` says what it should be."""

    personal = False

    def __init__(self, pattern: str, message: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.pattern, self.message = re.compile(pattern), message

    def read(self, value: Any) -> Any:
        if not self.pattern.fullmatch(super().read(value)):
            raise ValidationError(self.message)
        return value


class OneOf(Text):
    """One word of a closed list."""

    personal = False

    def __init__(self, *words: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.words = words

    def read(self, value: Any) -> Any:
        if super().read(value) not in self.words:
            zh, en = "、".join(self.words), ", ".join(self.words)
            raise ValidationError(f"应为其中之一:{zh}。 / This must be one of {en}.")
        return value


class Identity(Text):
    """A UUID in lower case with hyphens."""

    personal = False

    def read(self, value: Any) -> Any:
        if not is_uuid(super().read(value)):
            words = "应为小写带连字符的 UUID。 / This must be a UUID in lower case with hyphens."
            raise ValidationError(words)
        return value


class IdOrText(Text):
    """A text that mostly is the id of something, which is not personal."""


class Date(Text):
    """A real day, `YYYY-MM-DD`."""

    personal = False

    def read(self, value: Any) -> Any:
        text = super().read(value)
        try:
            if not _DATE.fullmatch(text):
                raise ValueError(text)
            date.fromisoformat(text)
        except ValueError as error:
            words = "应为真实的日期,如 2020-12-30。 / This must be a real date like 2020-12-30."
            raise ValidationError(words) from error
        return value


class OpName(Matching):
    """`<device>/<seq>`."""

    def __init__(self, **rest: Any) -> None:
        words = "应为记录编号 <设备>/<序号>。 / This must be <device>/<seq>."
        super().__init__("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[1-9][0-9]*", words, **rest)


class PlaceRef(Text):
    """`warehouse:<code>` … `household:<id>`."""

    personal = False

    def __init__(self, **rest: Any) -> None:
        super().__init__(place.LONGEST, **rest)

    def read(self, value: Any) -> Any:
        if place.parse(super().read(value)) is None:
            words = (
                "应为地点,如 warehouse:main 或 truck:<任务编号>。"
                " / This must be a place like warehouse:main or truck:<trip id>."
            )
            raise ValidationError(words)
        return value


class Whole(Strict):
    """A whole number from `least` to `most`; true, 1.0 and "1" are none."""

    def __init__(self, least: int = 0, most: int = MAX_INT, **rest: Any) -> None:
        super().__init__(**rest)
        self.least, self.most = least, most

    def read(self, value: Any) -> Any:
        if type(value) is not int:
            raise ValidationError("应为整数。 / This must be a whole number.")
        if value < self.least:
            raise ValidationError(f"不能小于 {self.least}。 / This must be {self.least} or more.")
        if value > self.most:
            raise ValidationError(f"不能大于 {self.most}。 / This must be {self.most} or less.")
        return value


class NumberOrText(Text):
    """What papers number or name as they like: a whole number, or a text."""

    def read(self, value: Any) -> Any:
        return value if type(value) is int else super().read(value)


class YesNo(Strict):
    """true or false, and nothing that means them."""

    def read(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("应为 true 或 false。 / This must be true or false.")
        return value


class Many(fields.List[Any]):
    """A list of `least` to `most` elements."""

    default_error_messages = _COMMON

    def __init__(self, inner: fields.Field[Any], least: int = 0, most: int | None = None, **rest: Any) -> None:
        super().__init__(inner, **rest)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, *args: Any, **rest: Any) -> Any:
        if not isinstance(value, list):
            raise ValidationError("应为列表。 / This must be a list.")
        if len(value) < self.least:
            raise ValidationError(f"至少要有 {self.least} 项。 / At least {self.least} must be given.")
        if self.most is not None and len(value) > self.most:
            raise ValidationError(f"太多,最多 {self.most} 项。 / Too many: at most {self.most}.")
        return super()._deserialize(value, *args, **rest)


class Part(fields.Nested):
    """An object inside a body."""

    default_error_messages = _COMMON


PERSONAL: dict[str, Any] = {"personal": True}
"""An erasure takes the field away, with all that is in it; a text that must be there becomes `erased.BLANK`."""
STAYS: dict[str, Any] = {"personal": False}
"""An erasure leaves it: a code, a quantity, a date."""
BLANKED: dict[str, Any] = {"personal": True, "blanked": True}
"""Personal, and some rule asks for it: it becomes `erased.BLANK` where it is there."""


def is_personal(field: fields.Field[Any]) -> bool:
    """Whether an erasure takes this field away as a whole. Of a list or an object its parts answer for themselves."""
    if isinstance(field, Many) and "personal" not in field.metadata:
        return is_personal(field.inner)
    return bool(field.metadata.get("personal", getattr(field, "personal", False)))


def code() -> Text:
    """The code of an item, category or place."""
    return Text(required=True, metadata=STAYS)


def division(*digits: int, **rest: Any) -> Matching:
    """A division code of one of these lengths; of any level when none is given."""
    lengths = digits or (2, 4, 6, 9, 12)
    zh, en = "、".join(map(str, lengths)), " or ".join(map(str, lengths))
    return Matching(
        "|".join(f"[0-9]{{{length}}}" for length in lengths),
        f"行政区划代码应为 {zh} 位数字。 / A division code has {en} digits.",
        **rest,
    )


def sha256() -> Matching:
    words = "应为 64 位小写十六进制数。 / This must be 64 lower-case hexadecimal digits."
    return Matching("[0-9a-f]{64}", words, metadata=PERSONAL)


class Position(Body):
    """Where something happened: 1e-7 degrees, and metres."""

    lat = Whole(-900_000_000, 900_000_000, required=True)
    lon = Whole(-1_800_000_000, 1_800_000_000, required=True)
    accuracy_m = Whole(required=True)


class Contact(Body):
    name = Text(required=True)
    phone = Text(required=True)


class Why(Body):
    """A body that only gives a reason."""

    reason = Text(NOTE, required=True)
