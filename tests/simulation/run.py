"""One seed, from its first step to the last promise; what it must have been through to count."""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from unittest import mock

from sync import client, sending
from tests.simulation.disks import Disks
from tests.simulation.promises import check
from tests.simulation.sticks import known_identities
from tests.simulation.story import Story
from tests.simulation.watch import chip_without_words
from tests.simulation.world import World

FEWEST_STEPS, MOST_STEPS = 60, 400
FEWEST_IN_CALM = 15
FEWEST_LAPTOPS, FEWEST_OPS, FEWEST_FAULTS, FEWEST_KINDS = 3, 200, 20, 6

PLACES = ("before a transaction", "at a statement", "before a commit", "after a commit")
FAULTS = {
    "lost": ("request lost", "answer lost"),
    "doubled": ("request doubled", "bundle brought twice"),
    "late": ("request delayed",),
    "cut": ("request cut", "answer cut"),
    "altered": ("push altered", "answer altered", "bundle altered"),
    "crash": (
        *(f"{who} crashed {where}" for who in ("centre", "laptop") for where in PLACES),
        "laptop crashed before a call", "laptop crashed after a call",
    ),
    "disk full": ("centre's disk was full", "laptop's disk was full"),
    "busy": ("centre was busy",),
    "clock": ("clock jumped",),
    "copy of a laptop": ("laptop restored from a copy",),
    "copy of the centre": ("centre restored",),
    "revoked": ("laptop revoked",),
    "grants": ("grants changed",),
    "upgrade": ("upgraded",),
    "erased": ("erased",),
    "carried by hand": ("bundle carried",),
    "astray": ("bundle went astray",),
}  # fmt: skip


def faults(counts: Counter[str]) -> Counter[str]:
    """How many faults of each kind."""
    found = {kind: sum(counts[name] for name in names) for kind, names in FAULTS.items()}
    return Counter({kind: number for kind, number in found.items() if number})


def enough(world: World) -> bool:
    """At least 3 laptops, 200 ops, 20 faults of 6 kinds: what a seed must go through."""
    met, counts = faults(world.story.counts), world.story.counts
    return (
        counts["laptops enrolled"] >= FEWEST_LAPTOPS
        and counts["ops recorded"] >= FEWEST_OPS
        and met.total() >= FEWEST_FAULTS
        and len(met) >= FEWEST_KINDS
    )


@contextmanager
def batches(page: int, most: int) -> Iterator[None]:
    """How many ops come in a page, and go in a push at most."""
    with mock.patch("sync.client.PAGE", page), mock.patch("sync.sending.MAX_OPS", most):
        yield


@contextmanager
def larger_batches() -> Iterator[None]:
    """In calm weather nothing strikes between two batches: very small ones would cost time and find nothing."""
    with batches(max(client.PAGE, FEWEST_IN_CALM), max(sending.MAX_OPS, FEWEST_IN_CALM)):
        yield


@contextmanager
def repeatable(story: Story) -> Iterator[None]:
    """Ids, keys, tokens and codes come from the seed too; so do the sizes of pages and batches."""
    sizes = Random(f"{story.seed} sizes")
    secrets = SimpleNamespace(
        token_bytes=lambda n: story.ids.randbytes(n), choice=lambda options: story.ids.choice(options)
    )
    with ExitStack() as stack:
        for place in ("sync.server.uuid7", "sync.enrolment.uuid7", "tests.support.toy.uuid7"):
            stack.enter_context(mock.patch(place, story.new_id))
        stack.enter_context(mock.patch("sync.identity.secrets", secrets))
        stack.enter_context(batches(sizes.choice([2, 10, 50, 2000]), sizes.choice([3, 20, 1000])))
        stack.enter_context(mock.patch("sync.bundle.LEVEL", 1))
        stack.enter_context(chip_without_words())
        stack.enter_context(known_identities())
        yield


def play(story: Story, *, steps: int | None = None, files: bool = False) -> int:
    """Tell a story to its end. `steps`: exactly so many, else until it is `enough`. Returns how many it took.

    Raises: AssertionError and whatever the software raises where it should not.
    """
    gc.disable()  # what it would look through again and again is thrown away together, soon
    with ExitStack() as stack:
        stack.callback(gc.enable)
        stack.enter_context(repeatable(story))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) if files else None
        disks = Disks(folder)
        stack.callback(disks.close)
        step = 0
        try:
            world = World(story, disks)
            while step < (steps or MOST_STEPS) and not (steps is None and step >= FEWEST_STEPS and enough(world)):
                step += 1
                world.take(step)
            assert steps is not None or enough(world), f"too quiet a seed: {faults(story.counts)}"
            with larger_batches():
                world.heal()
            story.tell(check(world))
        except Exception as error:
            error.last_step = step  # type: ignore[attr-defined]
            raise
    return step


def simulate(seed: int, *, files: bool = False) -> Story:
    """Run one seed and check every promise."""
    story = Story(seed)
    try:
        play(story, files=files)
    except Exception as error:
        error.add_note(f"to repeat, and to hear the shortest story: python -m tests.simulation --seed {seed}")
        raise
    return story
