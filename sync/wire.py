"""What stands in a request and an answer, and how bytes are packed on the line (docs/protocol.md section 3)."""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import Any, cast

import zstandard
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from sync import dictionary
from sync.clock import is_hlc
from sync.op import HEX64, TRAVELLING, Op, is_text, is_uuid, malformed
from sync.problem import Problem

MAX_OPS = 1000
MAX_BYTES = 4 * 1024 * 1024
MAX_BLOB = 5 * 1024 * 1024
MAX_PAGE = 5000
MOST_PLACES = 400
MOST_EARLIER = 20
MOST_REMINDERS = 200
NAMING = len("Content-Encoding: aid-1\r\n")
_REFUSED = re.compile(r";q=0(\.0*)?$")
PATHS = {"enrol": "/sync/v1/enrol", "push": "/sync/v1/push", "pull": "/sync/v1/pull", "blobs": "/sync/v1/blobs/"}


def too_large(limit: int = MAX_BYTES) -> Problem:
    return Problem("too-large", max_ops=MAX_OPS, max_bytes=limit)


def unpack(data: bytes, encoding: str | None, limit: int = MAX_BYTES) -> bytes:
    """Undo a Content-Encoding (zstd, gzip, one of our own, or none) without ever inflating past `limit` bytes.

    Raises: Problem `too-large`, `malformed`.
    """
    match (encoding or "identity").strip().lower():
        case "identity" | "":
            plain = data
        case "gzip":
            plain = _gunzip(data, limit)
        case "zstd":
            plain = dictionary.inflate(data, zstandard.ZstdDecompressor(max_window_size=dictionary.MAX_WINDOW), limit)
        case other:
            number = dictionary.number_of(other)
            if number is None:
                raise malformed(f"Content-Encoding {other[:20]!r} is neither zstd nor gzip")
            plain = dictionary.unpack(data, number, limit)
    if len(plain) > limit:
        raise too_large(limit)
    return plain


def _gunzip(data: bytes, limit: int) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        plain = inflate.decompress(data, limit + 1)
    except zlib.error as error:
        raise malformed("the gzip body is damaged") from error
    if len(plain) <= limit and not inflate.eof:
        raise malformed("the gzip body is cut short")
    return plain


def pack(data: bytes, accepted: str | None, known: int = 0, *, thorough: bool = False) -> tuple[bytes, str | None]:
    """Pack a JSON text as the other side accepts it: (bytes, Content-Encoding or None). Small ones stay plain.

    `known`: the newest dictionary that the other side has as well, which says more than what it accepts; 0 for none.
    `thorough`: a slow line is worth more than a tenth of a second.
    """
    if known:
        packed, encoding = dictionary.pack(data, known), dictionary.coding(known)
        return (packed, encoding) if len(packed) + NAMING < len(data) else (data, None)
    parts = [part.replace(" ", "").lower() for part in (accepted or "").split(",")]
    names = {part.partition(";")[0] for part in parts if not _REFUSED.search(part)}
    if len(data) < 200:
        return data, None
    if "zstd" in names:
        level = dictionary.THOROUGH if thorough and len(data) <= 2 * dictionary.MOST_THOROUGH else 3
        return zstandard.ZstdCompressor(level=level).compress(data), "zstd"
    if "gzip" in names:
        deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
        return deflate.compress(data) + deflate.flush(), "gzip"
    return data, None


class Whole(fields.Integer):
    """An integer, and nothing that merely looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("not a whole number")
        return super()._deserialize(value, attr, data, **kwargs)


class Objects(fields.Field[list[dict[str, Any]]]):
    """A list of objects, of which each is looked at by somebody else."""

    def _deserialize(self, value: Any, *_args: Any, **_rest: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise ValidationError("not a list of objects")
        return value


def _hash() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))


def _identifier(value: str) -> None:
    if not is_uuid(value):
        raise ValidationError("not a UUID in lower case with hyphens")


def _clock(value: str) -> None:
    if not is_hlc(value):
        raise ValidationError("not an HLC")


def _storable(value: str) -> None:
    if not is_text(value):
        raise ValidationError("holds U+0000 or a lone surrogate")


class Document(Schema):
    """Members that a reader does not know are ignored."""

    class Meta:
        unknown = EXCLUDE


class Earlier(Document):
    device = fields.String(required=True, validate=_identifier)
    sig = fields.String(required=True, validate=validate.Length(max=100))


class EnrolRequest(Document):
    code = fields.String(validate=validate.Length(max=40))
    name = fields.String(required=True, validate=[validate.Length(min=1, max=100), _storable])
    public_key = fields.String(required=True, validate=validate.Length(max=100))
    age_recipient = fields.String(allow_none=True, validate=[validate.Length(max=200), _storable])
    earlier = fields.List(fields.Nested(Earlier), validate=validate.Length(max=MOST_EARLIER))


class PushRequest(Document):
    device = fields.String(required=True, validate=_identifier)
    from_ = Whole(required=True, data_key="from", validate=validate.Range(min=1, max=2**53 - 1))
    prev = _hash()
    ops = Objects(required=True, validate=validate.Length(min=1))
    head = _hash()
    sig = fields.String(required=True)
    remains = fields.Dict(keys=fields.String())


class PullRequest(Document):
    epoch = fields.String(allow_none=True)
    cursors = fields.Dict(keys=fields.String(), values=Whole(validate=validate.Range(min=0, max=2**53 - 1)))
    limit = Whole(load_default=1000, validate=validate.Range(min=1, max=MAX_PAGE))
    status = fields.Dict(keys=fields.String(), allow_none=True)
    age_recipient = fields.String(allow_none=True, validate=[validate.Length(max=200), _storable])
    dictionary = fields.Raw()
    erasures = fields.List(fields.Raw(), validate=validate.Length(max=MOST_REMINDERS))
    witness = fields.List(
        Whole(validate=validate.Range(min=1, max=2**53 - 1)), allow_none=True, validate=validate.Length(max=MOST_PLACES)
    )


class EnrolAnswer(Document):
    device = fields.String(required=True, validate=_identifier)
    token = fields.String(required=True)
    server = fields.Dict(keys=fields.String(), required=True)
    epoch = fields.String(required=True)
    grants = fields.List(fields.String(), required=True)


class Said(Document):
    seq = Whole(required=True)
    problem = fields.Dict(keys=fields.String(), required=True)


class Restamped(Document):
    seq = Whole(required=True)
    merge_hlc = fields.String(required=True, validate=_clock)


class Receipt(Document):
    device = fields.String(required=True)
    through = Whole(required=True)
    head = _hash()
    at = fields.String(required=True)
    sig = fields.String(required=True)


class PushAnswer(Document):
    through = Whole(required=True)
    head = _hash()
    quarantined = fields.List(fields.Nested(Said), required=True)
    restamped = fields.List(fields.Nested(Restamped), required=True)
    receipt = fields.Nested(Receipt, required=True)


class Witness(Document):
    device = fields.String(required=True, validate=_identifier)
    seq = Whole(required=True, validate=validate.Range(min=0, max=2**53 - 1))
    head = _hash()
    held = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    digests = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class PullAnswer(Document):
    epoch = fields.String(required=True)
    grants = fields.List(fields.String(), required=True)
    through = Whole(required=True)
    head = _hash()
    ops = Objects(required=True)
    cursors = fields.Dict(keys=fields.String(), values=Whole(), required=True)
    more = fields.Boolean(required=True)
    heads = fields.Dict(keys=fields.String(), values=Whole())
    witness = fields.Nested(Witness)
    age_recipient = fields.String(allow_none=True)
    version = fields.String(validate=validate.Length(max=40))


ANSWERS: dict[str, type[Document]] = {"enrol": EnrolAnswer, "push": PushAnswer, "pull": PullAnswer}


@cache
def _made(schema: type[Document]) -> Document:
    """A schema copies all of its fields when it is made, and keeps nothing of what it loads."""
    return schema()


def load(schema: type[Document], document: Any) -> dict[str, Any]:
    """The checked members of a document. Raises: Problem `malformed`, naming the member."""
    if not isinstance(document, dict):
        raise malformed("the document is not an object")
    try:
        return cast(dict[str, Any], _made(schema).load(document))
    except ValidationError as error:
        raise malformed(f"members that do not fit: {error.messages}") from error


def travelling_op(device: str, seq: int, item: dict[str, Any]) -> Op | str:
    """One element of a push's `ops`: the op, or the digest of one that was erased. Raises: Problem `malformed`."""
    if set(item) == {"erased"}:
        digest = item["erased"]
        if not isinstance(digest, str) or HEX64.fullmatch(digest) is None:
            raise malformed(f"op {seq}: erased is not a digest")
        return digest
    if set(item) != set(TRAVELLING):
        odd = sorted(set(item) ^ set(TRAVELLING))
        raise malformed(f"op {seq}: exactly {', '.join(TRAVELLING)} travel; missing or too many: {odd}")
    return Op(device=device, seq=seq, **item)


def to_travel(op: Op) -> dict[str, Any]:
    return {field: getattr(op, field) for field in TRAVELLING}
