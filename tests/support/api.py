"""The API held against its own description, with requests that fit it and requests that do not (schemathesis)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation, BaseSchema

from aidvisit.domain.facts.delivery import RULES
from aidvisit.domain.rights import FOR_TOKENS
from aidvisit.services import token as tokens
from aidvisit.services.delivery import record_delivery
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading
from aidvisit.store.queries import account
from sync.op import uuid7
from tests.support import pages
from tests.support.office import busy

CHECKED = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection", "missing_required_header",
)  # fmt: skip
VILLAGE = "441225112207"
DELIVERY = {
    "lines": [{"item": "rice", "quantity": 1}],
    "received_by": {"as": "head", "name": "户主"},
    "proofs": [{"as": "paper", "page": 1, "row": 2}],
}
VISIT = {"outcome": "met", "purposes": ["regular"], "by": []}
DESCRIPTION = "/api/v1/openapi.json"
DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M1 1L8 8"/></svg>'


@dataclass
class Known:
    """What there is at the centre, so that not everything that is asked for is unknown."""

    token: str
    values: dict[str, list[str]]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}


@dataclass
class Held:
    """What an operation answered: how many cases, by status; and what was wrong."""

    operation: str
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def made_token(app: Flask, login: str = "admin", rights: tuple[str, ...] = FOR_TOKENS, **more: Any) -> str:
    """A token that acts as somebody of the centre."""
    with app.app_context():
        with reading() as conn:
            user = account.user_by_login(conn, login)
        assert user is not None
        return tokens.make(actor=user.id, name="会计系统", user=user.id, wanted=rights, **more)[1]


def known(app: Flask) -> Known:
    """A token with every right, and ids of what the sample has."""
    found = Known(made_token(app), {})
    asked = app.test_client()
    for noun, name in (("households", "household"), ("trips", "trip"), ("teams", "team"), ("devices", "device")):
        rows = asked.get(f"/api/v1/{noun}?limit=20", headers=found.headers).json["data"]
        found.values[name] = [row["id"] for row in rows]
    for noun in ("items", "categories", "places", "divisions"):
        rows = asked.get(f"/api/v1/{noun}", headers=found.headers).json["data"]
        found.values[noun] = [row["code"] for row in rows]
    found.values |= {"item": found.values["items"], "division": [VILLAGE]}
    one = {"household": found.values["household"][0], "date": pages.DAY}
    for where, name, more in (("deliveries", "delivery", DELIVERY), ("visits", "visit", VISIT)):
        headers = {**found.headers, "Idempotency-Key": name}
        made = asked.post(f"/api/v1/{where}", headers=headers, json=one | more)
        assert made.status_code == 201, made.text
        found.values[name] = [made.json["id"]]
    found.values["sha256"] = [signed(app, one["household"])]
    found.values |= busy(app) | {"category": found.values["categories"]}
    return found


def signed(app: Flask, household: str) -> str:
    """A delivery to the household with a signature: the hash of its drawing."""
    name = sha256(DRAWN).hexdigest()
    proof = {"as": "signature", "sha256": name, "bytes": len(DRAWN), "media_type": "image/svg+xml"}
    with app.app_context():
        record_delivery(
            actor=own_device(), delivery=uuid7(), household=household, trip=None, date=pages.DAY, lines={"oil": 1},
            received_by=DELIVERY["received_by"], proofs=[proof], blobs=[(name, "image/svg+xml", DRAWN)],
            from_="warehouse:main", reasons=dict.fromkeys(RULES, "核对过"),
        )  # fmt: skip
    return name


def operations(schema: BaseSchema) -> Iterator[APIOperation]:
    for found in schema.get_all_operations():
        yield found.ok()


def hold(operation: APIOperation, cases: int, there: Known, url: str | None = None) -> Held:
    """Ask an operation so often, half of it with what does not fit its description."""
    held = Held(operation.label)
    checks = [getattr(schemathesis.checks, name) for name in CHECKED]

    def ask(case: Case) -> None:
        held.cases += 1
        case.headers = {**(case.headers or {}), **there.headers}
        response = case.call(base_url=url, headers=there.headers)
        held.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=checks, headers=there.headers)
        except FailureGroup as fault:
            if len(held.faults) < 5:
                said = (*fault.exceptions, case.as_curl_command(), response.text[:600])
                held.faults.append("\n".join(map(str, said)))

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        strategy = _cases(operation, mode, there)
        if strategy is not None:
            _run(ask, strategy, -(-cases // 2))
    while held.cases < cases:  # what cannot be asked wrongly is asked rightly more often
        before = held.cases
        _run(ask, _cases(operation, GenerationMode.POSITIVE, there), cases - held.cases)
        if held.cases == before:
            break
    return held


def _run(ask: Any, strategy: Any, cases: int) -> None:
    quiet = list(HealthCheck)
    bounds = settings(
        max_examples=cases, deadline=None, suppress_health_check=quiet, phases=[Phase.generate], database=None
    )
    bounds(given(strategy)(ask))()


def _cases(operation: APIOperation, mode: GenerationMode, there: Known) -> Any:
    strategy = operation.as_strategy(generation_mode=mode)
    if mode == GenerationMode.NEGATIVE:
        return strategy
    return st.tuples(strategy, st.randoms(use_true_random=False), st.integers(0, 3)).map(
        lambda found: _placed(*found[:2], there) if found[2] < 3 else found[0]
    )


def _placed(case: Case, random: Any, there: Known) -> Case:
    """The same case about something that there is."""
    noun = case.operation.path.split("/")[3]
    for name in case.path_parameters or {}:
        case.path_parameters[name] = random.choice(there.values[noun if name == "code" else name])
    case.query = _filled(case.query, random, there)
    more = {"PATCH": {"If-Match": "*"}, "POST": {"Idempotency-Key": str(uuid4())}}
    case.headers = {**(case.headers or {}), **more.get(case.method, {})}
    case.body = _filled(case.body, random, there)
    if isinstance(case.body, dict) and "received_by" in case.body:
        case.body = {name: value for name, value in case.body.items() if name != "replaces"}
        case.body["overrides"] = [{"rule": rule, "reason": "核对过"} for rule in RULES]
        case.body["received_by"] = {"relation": "邻居", **case.body["received_by"]}
        case.body["proofs"] = [{"reason": "没有笔", **proof} for proof in case.body["proofs"]]
    return case


def _filled(body: Any, random: Any, there: Known) -> Any:
    if isinstance(body, list):
        return [_filled(inner, random, there) for inner in body]
    if not isinstance(body, dict):
        return body
    found = {name: _filled(inner, random, there) for name, inner in body.items()}
    for name, values in there.values.items():
        if isinstance(found.get(name), str) and values:
            found[name] = random.choice(values)
    if "divisions" in found:
        found["divisions"] = there.values["division"]
    return found
