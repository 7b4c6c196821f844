"""USB sticks that go between laptops and the centre: late, twice, to the wrong place, damaged, or never."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest import mock

from pyrage.x25519 import Identity

from sync import bundle_central, bundle_field
from sync.problem import Problem
from tests.simulation.nodes import EXPECTED, SimLaptop, suppressed

if TYPE_CHECKING:
    from tests.simulation.world import World

REFUSED = {"bundle-damaged", "bundle-not-ours"}
OUTDATED = {"bundle-outdated", "bundle-no-recipient", "bundle-unknown-device"}
ALTERED, TWICE, ASTRAY = 0.15, 0.2, 0.1
# Of nobody: age makes its keys by itself, and a seed must give the same ones again.
IDENTITIES = (
    "AGE-SECRET-KEY-1ZH2F3N5DFVT3AT2LE335A0TV5AVQAFN5JD7WEMWJH4CTWRAVVVRQA3DQJK",
    "AGE-SECRET-KEY-1J3VX6RHWW8RUMXTJ2FD3NLF9DGWS5RXMD0503A6X6WYYW3T3XJYQ64YAJD",
    "AGE-SECRET-KEY-1D5ZGU7TMA8Y73P37CM8ARTA2AGE0WKEJ9X5XST2RDVGE9NZ5Z8FQWNNNWJ",
    "AGE-SECRET-KEY-10QUXXMK5CYUPSLPW9GVM3GQF2T5UDSCMQ8PT4G35ZWDWT9VTMGLSG8RKRN",
    "AGE-SECRET-KEY-15K86JCVHCZECMQ23XVKCXX2C6SDGL8QKXTGH3VSTLN6XXC8SRA4STZAKAS",
    "AGE-SECRET-KEY-1DNQJ3DDEJ74FG6CK5QTRR0Y92FD5YWWH70W0KP0Q6TP7QZZ70UVQKV5NCA",
    "AGE-SECRET-KEY-1VAR38E4LVSPYTAUUKEA8D65K5MZSHFHHHW79QXVUWS2FHYC8CAZQRVJ2CK",
    "AGE-SECRET-KEY-1KUWPRWGJSVAE24LTCPW304HK5D5VQG70MFG5DRTN3760PZ96E0NQJCPVNF",
    "AGE-SECRET-KEY-1TJYKW2XS7AM5UW63J76A89JVPCF9SUGDFCDJ5KMTC2RH2EV7QA4QCZXRG6",
    "AGE-SECRET-KEY-1JW5028882TWA74780KKR3MXQ0KJNE47WZAT6NVP293QM2MVWSUPQNS0D6L",
    "AGE-SECRET-KEY-18MUXLQFE2EF0808G86C5EAY5HRRQTURTS9A0HQMDV9CKKD33UF2Q5YHVCE",
    "AGE-SECRET-KEY-18U9MAK5EHW5K5Q2UL48DSL9LU0L8XQZM0YVRCA3KK2QWCWEJ7PYQFVJ5R8",
)  # fmt: skip


@contextmanager
def known_identities() -> Iterator[None]:
    turn = cycle(IDENTITIES)
    pool = SimpleNamespace(generate=lambda: Identity.from_str(next(turn)), from_str=Identity.from_str)
    with mock.patch("sync.age.Identity", pool):
        yield


@dataclass
class Sticks:
    """`up`: bundles on their way to the centre; `down`: its answers on their way back."""

    world: World
    up: list[tuple[SimLaptop, bytes]] = field(default_factory=list)
    down: list[tuple[SimLaptop, bytes]] = field(default_factory=list)

    def leave(self) -> None:
        """Somebody takes a bundle along."""
        laptop, file = self.world.any_laptop(), io.BytesIO()
        with suppressed(OUTDATED | {"disk-full"}) as met, laptop.begin() as conn:
            bundle_field.export(conn, file)
        if not met:
            self.up.append((laptop, file.getvalue()))
            self.world.story.tell(f"a bundle of {laptop.name} is on its way")

    def arrive(self) -> None:
        """It reaches the centre, which takes it and makes an answer."""
        if not self.up:
            return
        world, (laptop, data) = self.world, self._taken(self.up)
        centre = world.centre
        if world.story.strikes("bundle altered", ALTERED):
            self._refused(
                lambda: bundle_central.take(centre.begin, centre.app, io.BytesIO(self._spoilt(data)), centre.now())
            )
            return
        answer = io.BytesIO()
        with suppressed(EXPECTED | OUTDATED) as met:
            taken = bundle_central.take(centre.begin, centre.app, io.BytesIO(data), centre.now())
            made = bundle_central.answer(centre.begin, centre.app, taken, answer, centre.now())
            if made:
                self.down.append((laptop, answer.getvalue()))
                world.story.counts["bundle carried"] += 1
        world.story.tell(f"a bundle of {laptop.name} is taken at the centre{': no' * bool(met)}")
        if not met:
            world.line.watch_bundle(taken)

    def come_back(self) -> None:
        """An answer reaches a laptop, mostly the right one."""
        if not self.down:
            return
        world, (laptop, data) = self.world, self._taken(self.down)
        if world.story.strikes("bundle altered", ALTERED):
            self._refused(
                lambda: bundle_field.take(laptop.begin, laptop.app, io.BytesIO(self._spoilt(data)), laptop.now())
            )
            return
        if world.story.strikes("bundle went astray", ASTRAY):
            laptop = world.any_laptop()
        with suppressed(EXPECTED | OUTDATED | REFUSED) as met:
            bundle_field.take(laptop.begin, laptop.app, io.BytesIO(data), laptop.now())
        result = met[0].name if met and isinstance(met[0], Problem) else "crash" if met else "done"
        world.story.tell(f"{laptop.name} takes an answer: {result}")

    def _taken(self, lot: list[tuple[SimLaptop, bytes]]) -> tuple[SimLaptop, bytes]:
        """One of them, in any order; sometimes it stays where it is, and is brought again."""
        place = self.world.story.random.randrange(len(lot))
        found = lot[place]
        if not self.world.story.strikes("bundle brought twice", TWICE):
            del lot[place]
        return found

    def _spoilt(self, data: bytes) -> bytes:
        """One bit is another one, or the end is missing."""
        random = self.world.story.random
        spoilt, place = bytearray(data), int(random.random() * len(data))
        if random.random() < 0.3:
            return bytes(spoilt[:place])
        spoilt[place] ^= 1 << random.randrange(8)
        return bytes(spoilt)

    def _refused(self, take: Callable[[], object]) -> None:
        """What is not whole is refused whole."""
        with suppressed(REFUSED | {"disk-full"}) as met:
            take()
        assert met, "a bundle that is not whole was taken"
