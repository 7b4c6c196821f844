"""Column types that the tables share."""

from __future__ import annotations

import json
from typing import Annotated, Any

from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class Json(TypeDecorator[Any]):
    """A JSON value as text with sorted keys: the same bytes on every database, so rows can be compared."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        return _encode(value) if value else json.dumps(value)  # most are empty

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - as above
        return None if value is None else json.loads(value)


def _bytewise(length: int | None = None) -> TypeEngine[str]:
    """Text that is compared byte by byte, whatever the database's language is: the same order everywhere."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


Key = Annotated[str, mapped_column(_bytewise(36), primary_key=True)]
"""A UUID, lower case with hyphens."""
Code = Annotated[str, mapped_column(_bytewise(), primary_key=True)]
Number = Annotated[int, mapped_column(primary_key=True, autoincrement=False)]
Id = Annotated[str, mapped_column(_bytewise(36))]
MaybeId = Annotated[str | None, mapped_column(_bytewise(36))]
Ref = Annotated[str, mapped_column(_bytewise())]
"""A stream, a code, a place: compared, never read by people."""
MaybeRef = Annotated[str | None, mapped_column(_bytewise())]
Words = Annotated[str, mapped_column(Text)]
MaybeWords = Annotated[str | None, mapped_column(Text)]
Date = Annotated[str, mapped_column(_bytewise(10))]
"""YYYY-MM-DD in the project's time zone."""
MaybeDate = Annotated[str | None, mapped_column(_bytewise(10))]
Quantity = Annotated[int, mapped_column(BigInteger)]
"""A whole number as JSON holds it; of goods in the item's own unit, of cash in fen."""
MaybeQuantity = Annotated[int | None, mapped_column(BigInteger)]
OrderKey = Annotated[str, mapped_column(_bytewise())]
"""`<merge clock>/<device>/<seq>` in fixed width: text order is the order of everything."""
JsonList = Annotated[list[Any], mapped_column(Json)]
MaybeJson = Annotated[dict[str, Any] | None, mapped_column(Json)]
