"""`aidvisit field run --practice`: pages with a made-up village in a directory of its own, never a real laptop's."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from aidvisit import config
from aidvisit.cli.home import is_free, new_home, ready, serve
from aidvisit.config import Settings
from aidvisit.errors import Problem


def practice_home(option: Path | None) -> Path:
    """The directory asked for by `--home`; else beside the real one, with `-practice` at the end of its name."""
    if option is not None:
        return config.find_home(option)
    real = config.find_home()
    return real.with_name(f"{real.name}-practice")


def pages(arguments: Namespace) -> Iterator[str]:
    """The address once it answers, then serve until stopped.

    Raises: Problem `practice-elsewhere` for a home with real data, `not-a-home`, `port-in-use`, `insecure-listening`.
    """
    from aidvisit.practice import again
    from aidvisit.services.practice import AGAIN

    home = practice_home(arguments.home)
    settings = _there(home)
    app = ready(settings)
    app.extensions[AGAIN] = lambda: again(home)
    yield from serve(app, settings, arguments)


def _there(home: Path) -> Settings:
    """The practice home, made if there is none, begun anew if its days are past. The environment has no say in it:
    it may name a real database or a real centre.
    """
    from aidvisit.practice import again, is_over, make

    if is_free(home):
        with new_home(home) as making:
            make(making)
        return config.load(home, {})
    settings = config.load(home, {})
    if not settings.practice:
        raise Problem("practice-elsewhere", home=str(home))
    if is_over(settings):
        again(home)
    return settings
