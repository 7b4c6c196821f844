"""The description of the API (OpenAPI 3.1), made from the schemas that check what comes in."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn, TypeVar

from flask import Flask, Response, request
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from aidvisit import __version__
from aidvisit.domain.facts import fields as facts
from aidvisit.domain.facts.kind import Errors
from aidvisit.errors import Problem
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.shapes import ProblemDocument, whole
from sync.problem import MEDIA_TYPE

F = TypeVar("F", bound=Callable[..., Response])

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PLACE = rf"^((warehouse|fund|donor|held):\S+|(truck|gain|loss|household):{UUID})$"
REFUSALS = {
    400: "No well-formed JSON",
    401: "No token that holds",
    403: "The token, or the user that it acts as, may not do this",
    404: "There is no such thing, or not where the token reaches",
    422: "Something in it is not right: see `errors`",
    429: "Too much: ask again after `Retry-After` seconds",
    503: "Not just now: ask again after `Retry-After` seconds",
}
OF_WRITES = {
    409: "What is on record speaks against it",
    413: "The body is too large",
    415: "The body is not `application/json`",
}
OF_EDITS = {412: "Somebody changed it after it was read", 428: "Without `If-Match`"}


# Bodies and queries say by their schema what they refuse; a browser or a proxy adds headers as it likes.
_UNKNOWN: dict[str, str | None] = {"json": None, "query": None, "headers": EXCLUDE}


class Parser(FlaskParser):
    """webargs, which says what is wrong as this house does."""

    DEFAULT_UNKNOWN_BY_LOCATION = _UNKNOWN

    def load_json(self, req: Any, schema: Any) -> Any:
        return whole(super().load_json(req, schema))

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        errors = flat(error.messages)
        raise Problem("invalid-form", count=len(errors), errors=errors) from error

    def _handle_invalid_json_error(self, error: Any, *_: Any, **__: Any) -> NoReturn:
        raise Problem("bad-json") from error


def flat(messages: Any) -> Errors:
    """Messages of marshmallow by path (`lines.0.quantity`), wherever in the request they were found."""
    found: Errors = {}
    for inner in messages.values() if isinstance(messages, dict) else [messages]:
        _flatten(inner, "", found)
    return found


def _flatten(messages: Any, path: str, found: Errors) -> None:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            _flatten(inner, f"{path}.{key}" if path else str(key), found)
    else:
        found.setdefault(path or "body", []).extend(map(str, messages))


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """One noun of the API, behind the door."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, noun: str) -> None:
        super().__init__(f"{door.NAMED}_{noun}", __name__, url_prefix=f"{door.PREFIX}/{noun}")
        self.before_request(door.enter)
        self._prepare_doc_cbks.append(_refusals)

    def on(
        self,
        rule: str,
        answer: type[Schema] | tuple[str, ...],
        *,
        headers: type[Schema] | None = None,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        named: str = "",
        status: int = 200,
    ) -> Callable[[F], F]:
        """An operation, by its method and path: what it takes, in this order, and what it answers when all is well.

        `answer`: a document, or bytes of one of these media types.
        """
        method, _, path = rule.partition(" ")

        def register(view: F) -> F:
            wrapped = view
            if isinstance(answer, tuple):
                for media_type in answer:
                    wrapped = self.response(status, {}, content_type=media_type)(wrapped)
            else:
                wrapped = self.response(status, answer)(wrapped)
            for schema, location in ((body, "json"), (query, "query"), (headers, "headers")):
                if schema is not None:
                    wrapped = self.arguments(schema, location=location)(wrapped)
            self.add_url_rule(path, named or view.__name__, wrapped, methods=[method])
            return view

        return register


def _refusals(doc: dict[str, Any], _info: Any, *, method: str, **_: Any) -> dict[str, Any]:
    """What every operation may answer beside what it is for."""
    refused = REFUSALS | (OF_WRITES if method != "get" else {}) | (OF_EDITS if method == "patch" else {})
    schema = {"$ref": "#/components/schemas/Problem"}
    for status, words in refused.items():
        answer = {"description": words, "content": {MEDIA_TYPE: {"schema": schema}}}
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        doc.setdefault("responses", {})[str(status)] = answer
    if method == "get":
        doc["responses"]["304"] = {"description": "As it was at the `ETag` of `If-None-Match`"}
    return doc


class IdConverter(BaseConverter):
    """An id in an address: what is none leads nowhere."""

    regex = UUID
    part_isolating = True


class HashConverter(BaseConverter):
    """A SHA-256 in an address, as a proof names its picture."""

    regex = "[0-9a-f]{64}"
    part_isolating = True


class Api(SmorestApi):  # type: ignore[misc]
    """flask-smorest without its own errors (the pages' handlers answer them, in this house's words), and a description
    that is put together when somebody first asks for it, not at every start."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._described = False
        self._lock = Lock()
        super().__init__(app)
        self._nouns: list[Blueprint] = []

    def register_blueprint(self, blueprint: Blueprint) -> None:
        self._app.register_blueprint(blueprint)
        self._nouns.append(blueprint)

    def description(self) -> dict[str, Any]:
        with self._lock:
            if not self._described:
                _describe(self)
                for noun in self._nouns:
                    noun.register_views_in_doc(self, self._app, self.spec, name=noun.name, parameters=None)
                self._described = True
        found: dict[str, Any] = self.spec.to_dict()
        return found

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        pass

    def _register_etag_headers(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass


def _describe(api: Api) -> None:
    """What OpenAPI says of the fields of facts, of problems and of tokens."""
    api.register_converter(IdConverter, lambda _: {"type": "string", "format": "uuid", "pattern": f"^{UUID}$"})
    api.register_converter(HashConverter, lambda _: {"type": "string", "pattern": f"^{HashConverter.regex}$"})
    converter = api.ma_plugin.converter
    for field, kind in KINDS.items():
        converter.field_mapping[field] = (kind, None)
    converter.add_attribute_function(_of_fact)
    api.spec.components.schema("Problem", schema=ProblemDocument)
    words = "A token that an administrator made on the page of tokens: `Authorization: Bearer aidvisit_…`"
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "description": words})


KINDS: dict[type[fields.Field[Any]], str | None] = {
    facts.Strict: None,
    facts.Text: "string",
    facts.NumberOrText: None,
    facts.Whole: "integer",
    facts.YesNo: "boolean",
}


def _of_fact(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """The bounds of a fact's field, as JSON Schema says them."""
    if isinstance(field, facts.Many):
        return _filled(minItems=field.least, maxItems=field.most)
    if isinstance(field, facts.Whole):
        return {"minimum": field.least, "maximum": field.most}
    if isinstance(field, facts.NumberOrText):
        return {"type": ["integer", "string"], "maxLength": field.longest}
    return _text(field) if isinstance(field, facts.Text) else {}


def _text(field: facts.Text) -> dict[str, Any]:
    if isinstance(field, facts.OneOf):
        return {"enum": list(field.words)}
    if isinstance(field, facts.Identity):
        return {"format": "uuid", "pattern": f"^{UUID}$"}
    if isinstance(field, facts.Date):
        return {"format": "date"}
    if isinstance(field, facts.PlaceRef):
        return {"pattern": PLACE, "maxLength": field.longest}
    if isinstance(field, facts.Matching):
        return {"pattern": f"^({field.pattern.pattern})$"}
    words = {"pattern": r"\S"} if field.required else {}
    return {"maxLength": field.longest, **words}


def _filled(**values: int | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def document(api: Api) -> dict[str, Any]:
    """The description as JSON; its address is the one that it was asked at."""
    return api.description() | {"servers": [{"url": request.host_url.rstrip("/")}]}


def settings() -> dict[str, Any]:
    """Settings of flask-smorest."""
    return {
        "API_TITLE": "aidvisit",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {"security": [{"token": []}]},
    }
