"""What is well with a home and what is not, and what to do: `aidvisit doctor`, and a page of the app.

It changes nothing, opens what it can, and goes on where a check itself fails: also with a damaged home, a locked laptop
or a database of a newer version.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aidvisit import __version__
from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services.doctor import data, machine
from aidvisit.services.doctor.model import STATES, Check, Patient, State, UncheckedError, words
from aidvisit.store.database import DatabaseFault, open_engine, viewing
from aidvisit.store.vault import Vault
from sync import clock

logger = logging.getLogger(__name__)

Looking = Callable[[Patient], Iterator[Check]]
QUICK: tuple[tuple[str, Looking], ...] = (
    ("clock", data.clocks),
    ("disk", machine.disk),
    ("database", data.database),
    ("keys", machine.keys),
    ("versions", data.versions),
    ("backup", data.backups),
)
SLOW: tuple[tuple[str, Looking], ...] = (("pages", data.pages), ("chain", data.chain), ("tables", data.tables))
"""What reads all that there is."""
OUTSIDE: tuple[tuple[str, Looking], ...] = (("line", machine.line), ("certificate", machine.certificate))
"""What speaks to another machine."""


def inspect(
    settings: Settings, vault: Vault, *, quick: bool = True, slow: bool = True, outside: bool = True
) -> list[Check]:
    """Every check, or some, in an order to read them in."""
    looking = [*(QUICK if quick else ()), *(SLOW if slow else ()), *(OUTSIDE if outside else ())]
    with _opened(settings, vault) as (view, why):
        patient = Patient(settings, vault, clock.wall(), view, why)
        return [check for name, look in looking for check in _guarded(name, look, patient)]


def worst(checks: Sequence[Check]) -> State:
    return max((check.state for check in checks), key=STATES.index, default="ok")


def document(settings: Settings, checks: Sequence[Check]) -> dict[str, Any]:
    """The answer of `aidvisit doctor --json` (docs/operations.md, “Doctor”)."""
    return {
        "ok": worst(checks) != "broken",
        "state": worst(checks),
        "role": settings.role,
        "version": __version__,
        "at": clock.wall().isoformat(timespec="seconds"),
        "checks": [check.document() | {"details": list(check.details)} for check in checks],
    }


@contextmanager
def _opened(settings: Settings, vault: Vault) -> Iterator[tuple[Connection | None, Problem | None]]:
    """A view of the database as it is: nothing is brought up to date."""
    with ExitStack() as opening:
        view, why = None, None
        try:
            if vault.locked:
                raise Problem("laptop-revoked" if vault.revoked else "locked")
            file = settings.database_file
            if file is not None and not file.exists():
                raise Problem("database-unreadable", database=str(file))  # to open it would make an empty one
            engine = open_engine(settings.database_url, vault)
            opening.callback(engine.dispose)
            view = opening.enter_context(viewing(engine))
        except Problem as problem:
            why = problem
        except DatabaseFault:  # what `in_words` has no words for
            why = Problem("database-unreadable", database=str(settings.database_file or settings.home))
        yield view, why


def _guarded(name: str, look: Looking, patient: Patient) -> list[Check]:
    """What fails by itself says so in one line, and the others go on, also on PostgreSQL, where an error ends all."""
    try:
        with nullcontext() if patient.view is None else patient.view.begin_nested():
            return list(look(patient))
    except UncheckedError as unchecked:
        return [Check(name, "unknown", unchecked.found)]
    except Problem as problem:
        return [Check(name, "unknown", words(problem.words("zh"), problem.words("en")))]
    except Exception as error:
        kind, frames = type(error).__name__, traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[::-1])
        logger.warning("doctor: %s: %s at %s", name, kind, where)  # on one line, and none of what is stored
        if patient.view is not None and isinstance(error, DatabaseFault | ValueError | LookupError):
            found = words(f"存的内容读不通({kind})。", f"What is stored cannot be read ({kind}).")
            return [Check(name, "broken", found, data.RESTORE)]
        found = words(f"这一项没有查成({kind})。", f"This check failed by itself ({kind}).")
        return [
            Check(name, "unknown", found, words("请把程序日志交给办公室。", "Give the program's log to the office."))
        ]
