"""Which blobs an op names: photos and signatures stand in its body by their SHA-256 (docs/protocol.md section 3)."""

from __future__ import annotations

from typing import Any

from sync.op import HEX64


def named_in(body: Any) -> dict[str, str | None]:
    """SHA-256 → media type, as said beside it, of every blob that a body names, at whatever depth.

    Also of a kind that this version does not know: what its laptop has may come before the upgrade that reads it.
    """
    found: dict[str, str | None] = {}
    todo = [body]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            name, media_type = one.get("sha256"), one.get("media_type")
            if isinstance(name, str) and HEX64.fullmatch(name):
                found.setdefault(name, media_type if isinstance(media_type, str) else None)
            todo += one.values()
    return found


def rows_of(device: str, seq: int, body: Any) -> list[dict[str, Any]]:
    """The rows of table `blob_name` that an op makes."""
    return [
        {"device": device, "seq": seq, "sha256": name, "media_type": media_type}
        for name, media_type in sorted(named_in(body).items())
    ]
