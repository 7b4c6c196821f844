"""A Transport's blobs to a centre in the same process."""

from __future__ import annotations

import json
from datetime import datetime

from sync import uploads
from sync.model import Application, Begin
from sync.op import loads
from sync.problem import Problem
from sync.transport import BlobReply


def exchange(
    begin: Begin, app: Application, now: datetime, name: str, token: str | None,
    piece: bytes | None = None, offset: int = 0, length: int = 0,
) -> BlobReply:  # fmt: skip
    """What HTTP would do: PATCH a piece, or GET without one. A refusal travels as it would."""
    try:
        if piece is None:
            data = uploads.read(begin, app, token, name)[1]
            return BlobReply(len(data), data)
        uploads.admit(begin, token, name)
        return BlobReply(uploads.append(begin, token, name, offset, length, piece, now).offset, b"")
    except Problem as problem:
        raise Problem.from_dict(loads(json.dumps(problem.to_dict()).encode())) from None
