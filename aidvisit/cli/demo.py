"""`aidvisit demo`."""

from __future__ import annotations

from argparse import Namespace


def demo(arguments: Namespace) -> None:
    """Both roles on this machine, with sample data, until stopped."""
    from aidvisit.demo import run

    run(arguments.home, arguments.port, as_json=arguments.json)
