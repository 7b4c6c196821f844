"""What is known of one kind of fact, and the table row that every noun fills in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aidvisit.domain.facts.fields import Body
from aidvisit.domain.stream import StreamType, stream_type, trip_of

Errors = dict[str, list[str]]
"""Messages by path (`lines.0.quantity`), each in Chinese, then " / ", then English."""

Reference = tuple[Literal["household", "trip"], str]

Rule = Callable[[str, str, dict[str, Any]], Errors]
Names = Callable[[str, str, dict[str, Any]], list[Reference]]


def no_rule(_stream: str, _subject: str, _body: dict[str, Any]) -> Errors:
    return {}


def no_names(_stream: str, _subject: str, _body: dict[str, Any]) -> list[Reference]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOf:
    """One kind of fact.

    `stream` is the type of stream that holds it, `or_stream` another that may. `by`: who may author it.
    `personal`: its body gets salt. `creates`: its subject is new; a second unequal one is `subject-exists`.
    `rule`: what a body that fits its schema still owes its stream and subject. `names`: what must be known.
    """

    kind: str
    stream: StreamType | Literal["any"]
    schema: type[Body]
    entity: str
    or_stream: StreamType | None = None
    by: Literal["centre", "any"] = "any"
    personal: bool = False
    creates: bool = False
    rule: Rule = no_rule
    names: Names = no_names
    v: int = 1

    def fits(self, stream: str) -> bool:
        """Whether this kind may stand in that stream."""
        found = stream_type(stream)
        return found is not None and (self.stream == "any" or found in (self.stream, self.or_stream))

    def only_centre(self, stream: str) -> bool:
        """Whether only the centre may author it there: all that stands in `org` or a team is the centre's."""
        return self.by == "centre" or stream_type(stream) in ("org", "team")


def about_trip(stream: str, subject: str, _body: dict[str, Any]) -> Errors:
    """The trip is the subject, and the stream is its own."""
    if trip_of(stream) == subject:
        return {}
    return {"subject": ["任务的记录应在它自己的流里。 / A trip's record belongs in its own stream."]}


def name_subject(entity: Literal["household", "trip"]) -> Names:
    return lambda _stream, subject, _body: [(entity, subject)]
