"""What was signed and photographed: the bytes that a proof names by their hash."""

from __future__ import annotations

from flask import Response, g

from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.store.database import reading
from aidvisit.store.queries import household as queries
from aidvisit.store.queries.timeline import proves
from aidvisit.web.api.blobs import PICTURES
from aidvisit.web.api.v1.household import blueprint

BYTES = "application/octet-stream"


@blueprint.on("GET /<id:household>/pictures/<hash:sha256>", (*sorted(PICTURES), BYTES))
def picture(household: str, sha256: str) -> Response:
    """A signature or photo that proves something about this household, as it was recorded"""
    with reading() as conn:
        named = queries.household(conn, household, g.scope) is not None and proves(conn, household, sha256)
    if not named:
        raise Problem("not-found")
    media_type, data = service.proof(sha256)
    response = Response(data, content_type=media_type if media_type in PICTURES else BYTES)
    # As on pages: whatever somebody managed to store, a browser runs nothing of it.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
