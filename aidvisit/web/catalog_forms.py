"""The forms of categories, items, places and divisions, and the bodies of facts that they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from aidvisit.domain import money
from aidvisit.domain.category import of_age
from aidvisit.domain.division import is_code
from aidvisit.services.bodies import filled
from aidvisit.web.forms import Form

LEVELS = ("household", "person")
CLASSES = ("food", "cash", "school", "health", "household_goods", "service")
KINDS = ("warehouse", "fund", "donor", "held")
CENT = "fen"
_APART = re.compile(r"[\n,,、;;]+")


def _line(what: str, english: str, most: int = 100) -> fields.String:
    error = f"请填{what},最多 {most} 字。 / Give {english}, at most {most} characters."
    return fields.String(required=True, validate=validate.Length(1, most, error=error))


def _maybe(most: int = 100) -> fields.String:
    error = f"最多 {most} 字。 / At most {most}."
    return fields.String(load_default="", validate=validate.Length(max=most, error=error))


def _one_of(words: tuple[str, ...], error: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(words, error=error))


def _days(text: str) -> None:
    if text and not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise ValidationError("请填天数,0 到 9999,或不填。 / Days from 0 to 9999, or nothing.")


def _age(text: str) -> None:
    if text and not (text.isascii() and text.isdecimal() and 10 <= int(text) <= 120 and text[0] != "0"):
        raise ValidationError("请填 10 到 120 的周岁,或不填。 / An age from 10 to 120, or nothing.")


def _yuan(text: str) -> None:
    if text and money.fen(text) is None:
        raise ValidationError("请填元,如 59.90,或不填。 / An amount in yuan like 59.90, or nothing.")


def _division(text: str) -> None:
    if text and not is_code(text):
        raise ValidationError(
            "行政区划代码应为 2、4、6、9 或 12 位数字。 / A division code has 2, 4, 6, 9 or 12 digits."
        )


class NounForm(Form):
    """`code` is asked for only where something is added."""

    code = _maybe()
    name = _line("名称", "a name")


class CategoryForm(NounForm):
    """`synonyms`: a line each, or apart by commas. `from_age`: for a category that follows from age, when added."""

    level = _one_of(LEVELS, "请选按户或按人。 / Choose household or person.")
    synonyms = _maybe(2000)
    basis = _maybe(2000)
    from_age = fields.String(load_default="", validate=_age)

    @validates_schema(skip_on_field_errors=False)
    def by_age(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("from_age") and data.get("level") == "household":
            raise ValidationError("按年龄算的是人,请选“按人”。 / Age is a person's: choose “a person”.", "level")


def category(data: dict[str, Any]) -> dict[str, Any]:
    words = [word.strip() for word in _APART.split(data["synonyms"])]
    more = filled(basis=data["basis"])
    code = of_age(int(data["from_age"])) if data["from_age"] else data["code"]
    synonyms = list(dict.fromkeys(word for word in words if word))
    return {"code": code, "name": data["name"], "level": data["level"], "synonyms": synonyms, **more}


class ItemForm(NounForm):
    """Cash is counted in fen, whatever was typed as its unit."""

    unit = _maybe()
    spec = _maybe()
    class_ = fields.String(
        data_key="class", required=True, validate=validate.OneOf(CLASSES, error="请选一类。 / Choose a class.")
    )
    repeat_days = fields.String(load_default="", validate=_days)
    value = fields.String(load_default="", validate=_yuan)

    @validates_schema(skip_on_field_errors=False)
    def counted(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("class_") != "cash" and data.get("unit", "") in ("", CENT):
            raise ValidationError("请填单位,如 袋、桶、床。 / Give a unit, like bag or bottle.", "unit")


def item(data: dict[str, Any]) -> dict[str, Any]:
    cash = data["class_"] == "cash"
    days, value = data["repeat_days"], data["value"]
    return filled(
        code=data["code"], name=data["name"], unit=CENT if cash else data["unit"], spec=data["spec"],
        class_=data["class_"], repeat_days=int(days) if days else None,
        value_fen=money.fen(value) if value and not cash else None,
    )  # fmt: skip


class PlaceForm(NounForm):
    kind = _one_of(KINDS, "请选一种地点。 / Choose what it is.")
    division = fields.String(load_default="", validate=_division)
    contact_name = _maybe()
    contact_phone = _maybe()

    @validates_schema(skip_on_field_errors=False)
    def both(self, data: dict[str, Any], **_: Any) -> None:
        whole(data)


def place(data: dict[str, Any]) -> dict[str, Any]:
    return filled(
        code=data["code"], name=data["name"], kind=data["kind"], division=data["division"], holder=contact(data)
    )


class DivisionForm(Form):
    code = fields.String(load_default="", validate=_division)
    name = _line("名称", "a name")
    contact_name = _maybe()
    contact_phone = _maybe()

    @validates_schema(skip_on_field_errors=False)
    def both(self, data: dict[str, Any], **_: Any) -> None:
        whole(data)


def whole(data: dict[str, Any]) -> None:
    """A contact has a name and a telephone, or there is none. Raises: ValidationError."""
    for missing, given in (("contact_name", "contact_phone"), ("contact_phone", "contact_name")):
        if data.get(given) and not data.get(missing):
            raise ValidationError(
                "姓名和电话要么都填,要么都不填。 / Give both name and telephone, or neither.", missing
            )


def contact(data: dict[str, Any]) -> dict[str, str] | None:
    name, phone = data["contact_name"], data["contact_phone"]
    return {"name": name, "phone": phone} if name else None


FORMS: dict[str, tuple[type[NounForm], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "category": (CategoryForm, category),
    "item": (ItemForm, item),
    "place": (PlaceForm, place),
}
"""By noun: what is asked, and the body that answers make."""
