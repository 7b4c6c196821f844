"""Which blobs a body names."""

from __future__ import annotations

from hashlib import sha256

from sync.naming import named_in


def test_a_body_names_blobs_at_any_depth() -> None:
    one, two = sha256(b"1").hexdigest(), sha256(b"2").hexdigest()
    body = {"proofs": [{"sha256": one, "media_type": "image/png"}, {"as": "paper"}], "x": {"y": [[{"sha256": two}]]}}
    assert named_in(body) == {one: "image/png", two: None}
    for odd in ({"sha256": one.upper()}, {"sha256": 7}, {"sha256": one + "0"}, {"sha": one}, [], "x", None):
        assert named_in({"proofs": [odd]}) == {}
