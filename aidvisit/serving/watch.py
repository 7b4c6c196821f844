"""What the centre does by itself while it serves: it looks at what arrived, so that the inbox has it at once.

Each process has such a thread. Who finds the same at the same time writes it down once (services/inbox.py::look).
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from aidvisit.errors import Problem
from aidvisit.services import inbox

EVERY_S = 20.0
"""Between two looks, more or less, so that several processes do not look in the same moment."""
PORTIONS_S = 5.0
"""So long it reads portion after portion of a large log, then others have their turn."""
BREATH_S = 1.0

logger = logging.getLogger(__name__)


@contextmanager
def watching(app: Flask, every_s: float = EVERY_S) -> Iterator[None]:
    """Look at what arrives, in the background, until this ends."""
    stopping = threading.Event()
    thread = threading.Thread(target=_watch, args=(app, every_s, stopping), name="inbox", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(PORTIONS_S)


def _watch(app: Flask, every_s: float, stopping: threading.Event) -> None:
    seen, behind = None, False
    while not stopping.wait(min(every_s, BREATH_S) if behind else every_s * random.uniform(0.5, 1.5)):  # noqa: S311
        try:
            with app.app_context():
                news = inbox.news()
                behind = news != seen and inbox.look(patience_s=PORTIONS_S) > 0
                seen = seen if behind else news
        except Problem as problem:  # a full disk or a busy database: pages say so, and the next look tries again
            logger.warning("inbox: %s", problem.name)
        except Exception:
            logger.exception("inbox")
