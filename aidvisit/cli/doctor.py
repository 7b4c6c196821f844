"""`aidvisit doctor`: what is well with this home and what is not. It changes nothing."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, secret_of, settings_of
from aidvisit.errors import Problem

MARKS = {"ok": "✓", "look": "!", "unknown": "?", "broken": "✗"}


def doctor(arguments: Namespace) -> Answer:
    """Exit code 1 where something is broken."""
    from aidvisit.services import doctor as service
    from aidvisit.services.lock import open_only
    from aidvisit.store.vault import Vault

    settings = settings_of(arguments)
    vault = Vault(settings.home)
    secret = secret_of(settings, arguments)
    if secret is not None:
        try:
            open_only(vault, secret)
        except Problem as problem:
            if problem.name not in ("keys-unreadable", "laptop-revoked"):  # then the checks say it
                raise
    checks = service.inspect(settings, vault, outside=not arguments.offline)
    lines = []
    for one in checks:
        lines.append(f"{MARKS[one.state]} {one.name:12} {one.found['zh']} / {one.found['en']}")
        lines += [f"{'':14} · {detail}" for detail in one.details]
        if one.do is not None:
            lines.append(f"{'':14} → {one.do['zh']} / {one.do['en']}")
    document = service.document(settings, checks)
    return Answer(document, lines, exit_code=0 if document["ok"] else 1)
