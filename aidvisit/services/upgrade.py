"""Bringing a home up to this version, whole or not at all, and with a way back."""

from __future__ import annotations

from sqlalchemy import Connection

from aidvisit.config import Settings
from aidvisit.store import migrations
from aidvisit.store.vault import Vault


def upgrade(settings: Settings, vault: Vault | None = None) -> None:
    """Bring the home's database up to date; before one that is in use is changed, it is backed up.

    Raises: Problem as `migrations.migrate`, `backup-no-room`, `not-writable`: then nothing was changed.
    """
    held = vault or Vault(settings.home)

    def before(view: Connection, found: str) -> None:
        from aidvisit.services.way_back import keep  # a start that changes nothing does not pay for it

        keep(view, found, settings, held)

    migrations.upgrade(settings.database_url, vault, before)
