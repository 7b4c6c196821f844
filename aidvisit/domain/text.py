"""Text as its author must leave it (docs/protocol.md section 1, "Well formed")."""

from __future__ import annotations

import unicodedata
from typing import Any


def tidy(text: str) -> str:
    """NFC, without white space at either end."""
    return unicodedata.normalize("NFC", text).strip()


def tidied(value: Any) -> Any:
    """The same JSON value with every text in it tidy; keys are left alone. Only for what is authored here."""
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, list):
        return [tidied(inner) for inner in value]
    if isinstance(value, dict):
        return {key: tidied(inner) for key, inner in value.items()}
    return value
