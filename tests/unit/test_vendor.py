"""What pages carry of other people's work is what the manifest says, and each has its licence beside it."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha384
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))


def test_every_file_is_as_it_was_built() -> None:
    assert {path.name for path in VENDOR.glob("*.js")} == set(MANIFEST)
    for name, entry in MANIFEST.items():
        assert b64encode(sha384((VENDOR / name).read_bytes()).digest()).decode() == entry["sha384"], name
        assert (VENDOR / name).with_suffix(".LICENSE").stat().st_size > 500


def test_versions_are_those_of_the_lock() -> None:
    """The lock names no host either."""
    text = (ROOT / ".ci" / "vendor" / "package-lock.json").read_text(encoding="utf-8")
    locked = json.loads(text)["packages"]
    assert "://registry" not in text
    for entry in MANIFEST.values():
        assert locked[f"node_modules/{entry['package']}"]["version"] == entry["version"]
