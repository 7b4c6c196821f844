"""Made-up traffic of the protocol: what a dictionary is trained on. Nobody in it is measured anywhere else."""

from __future__ import annotations

import random
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

from sync import clock

Document = dict[str, Any]

SURNAMES = "赵钱孙冯褚卫蒋沈韩杨朱秦尤许吕施张孔曹严华金魏姜戚谢邹喻"
GIVEN = "福贵长根水生金凤月娥秋菊大勇志刚建国红梅春兰雪英永强海龙玉芬宝山桂花来娣招弟"
PHRASES = (
    "老人行动不便", "由儿子代领", "由邻居代领", "已电话联系", "下次请提前通知", "家中无人在家",
    "门口放狗小心", "房屋漏雨", "需要轮椅", "听力不好", "身体尚好", "刚出院",
    "正在住院", "孩子在外打工", "独自生活", "米要小包装", "路窄车进不去", "请村干部陪同",
    "手机停机", "住在女儿家", "已按手印", "代签人为孙子", "上次少发一桶油", "补发",
    "多谢慰问", "情绪稳定", "视力下降", "缺过冬棉被", "想要血压计", "孩子上三年级",
    "成绩不错", "需要学习用品", "屋后有滑坡", "电线老化",
)  # fmt: skip
ITEMS = ("rice", "oil", "nuts", "milk", "quilt", "cash", "schoolbag", "noodles")
PROBLEMS = (
    ("unknown-subject", 422, "所指的household还没有收到:。收到后会自动放行。", {"what": "household", "id": ""}),
    ("not-allowed", 403, "无权做这件事:delivery.recorded。", {"kind": "delivery.recorded", "actor_or_device": ""}),
    ("gap", 409, "中心只收到第 12 条,会从下一条补发。", {"through": 12}),
    ("fork", 409, "这台设备像是从备份或克隆恢复的(第 12 条起与中心不同)。", {"seq": 12}),
    ("too-many-requests", 429, "中心服务器正忙,请 10 秒后再试。", {"retry_after": 10}),
    ("unavailable", 503, "中心服务器暂时不能用,请 10 秒后再试。", {"retry_after": 10}),
    ("unauthorized", 401, "中心服务器不认识这台设备的口令。记录都还在本机。", {}),
    ("device-revoked", 403, "这台设备已被停用,不再收发记录。记录都还在本机;请联系管理员。", {}),
    ("too-large", 413, "最多 1000 条、4194304 字节。", {"max_ops": 1000, "max_bytes": 4194304}),
    ("malformed", 422, "发送的内容不合协议:。记录都还在本机。", {}),
)  # fmt: skip
"""As they stood when the first dictionary was trained: words that are mended later must not change it."""
STATUS_VERSIONS = ("0.1.0", "0.2.0", "1.0.0")
VILLAGES = [f"{town}{200 + n}" for town in ("522326102", "530628105", "441225104") for n in range(9)]


class World:
    """One laptop, its centre and the people they write about, out of one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.ms = 1_700_000_000_000 + chance.randrange(10**11)
        self.device, self.actor, self.team = self.new_id(), self.new_id(), self.new_id()
        self.centre, self.trip, self.epoch = self.new_id(), self.new_id(), self.new_id()
        self.village = chance.choice(VILLAGES)
        self.households = [self.new_id() if chance.random() < 0.5 else self.any_id() for _ in range(40)]
        self.seq = chance.randrange(1, 3000)

    def new_id(self) -> str:
        """A UUID v7 of now."""
        return str(
            uuid.UUID(int=self.ms << 80 | 7 << 76 | self.chance.getrandbits(12) << 64 | 2 << 62 | self._bits(62))
        )

    def any_id(self) -> str:
        return str(uuid.UUID(int=self._bits(128), version=4))

    def _bits(self, count: int) -> int:
        return self.chance.getrandbits(count)

    def secret(self, size: int) -> str:
        return urlsafe_b64encode(self.chance.randbytes(size)).rstrip(b"=").decode()

    def hash(self) -> str:
        return self.chance.randbytes(32).hex()

    def day(self) -> str:
        return clock.from_ms(self.ms).strftime("%Y-%m-%d")

    def name(self) -> str:
        return self.chance.choice(SURNAMES) + "".join(self.chance.choices(GIVEN, k=self.chance.choice((1, 2, 2))))

    def note(self) -> str:
        return ",".join(self.chance.sample(PHRASES, self.chance.choice((1, 2, 3))))

    def some(self, body: Document, **perhaps: Any) -> Document:
        return body | {key: value for key, value in perhaps.items() if self.chance.random() < 0.4}

    # --- bodies, their members in the order in which the services write them ---

    def delivery(self) -> Document:
        chance, numbers = self.chance, (1, 1, 1, 2, 3)
        body = {"household": chance.choice(self.households), "trip": self.trip, "date": self.day()}
        if chance.random() < 0.33:
            body["note"] = self.note()
        items = chance.sample(ITEMS, chance.choice((1, 2, 2, 3)))
        body["lines"] = [{"item": item, "quantity": chance.choice(numbers)} for item in items]
        body["received_by"] = chance.choice(
            ({"as": "head", "name": self.name()}, {"as": "head", "name": self.name()},
             {"as": "member", "name": self.name(), "relation": "子", "id_last4": f"{chance.randrange(10**4):04}"},
             {"as": "proxy", "name": self.name(), "relation": "邻居"})
        )  # fmt: skip
        signed = {"as": "signature", "sha256": self.hash(), "bytes": chance.randrange(600, 4000)}
        paper = {"as": "paper", "page": chance.randrange(1, 9), "row": chance.randrange(1, 25)}
        photo = {"as": "photo", "sha256": self.hash(), "bytes": chance.randrange(60_000, 160_000)}
        proofs = (
            signed | {"media_type": "image/svg+xml"}, paper, photo | {"media_type": "image/jpeg"},
            {"as": "none", "reason": self.note()},
        )  # fmt: skip
        body["proofs"] = [chance.choices(proofs, (5, 5, 1, 1))[0]]
        body["handed_by"] = [self.actor]
        if chance.random() < 0.5:
            body["witness"] = {"name": self.name(), "role": "村委委员"}
        if chance.random() < 0.1:
            body["overrides"] = [{"rule": "repeat-interval", "reason": self.note()}]
        return body | {"salt": self.secret(8)}

    def visit(self) -> Document:
        body = {"household": self.chance.choice(self.households), "trip": self.trip, "date": self.day()}
        body["outcome"] = self.chance.choice(("not-home", "met", "in-hospital", "moved", "refused"))
        if self.chance.random() < 0.5:
            body["note"] = self.note()
        return body | {"purposes": ["distribution"], "by": [self.actor], "salt": self.secret(8)}

    def registration(self) -> Document:
        number = f"{self.village[:6]}19{self.chance.randrange(30, 99)}{self.chance.randrange(1, 12):02}"
        head = {"name": self.name(), "id_number": f"{number}{self.chance.randrange(10**5, 10**6)}"}
        phone = f"13{self.chance.randrange(10**8, 10**9)}"
        born = f"19{self.chance.randrange(30, 99)}-{self.chance.randrange(1, 12):02}-11"
        category = {"code": self.chance.choice(("dibao", "tekun", "elder_alone", "elder_80", "disabled"))}
        body = {"kind": "household", "head": self.some(head, phone=phone), "division": self.village}
        member = {"id": self.new_id(), "name": self.name(), "relation": "孙", "born": born}
        return self.some(
            body | {"group": f"{self.chance.choice('一二三四五')}组", "size": self.chance.randrange(1, 7)},
            members=[member], note=self.note(), address=f"{self.chance.randrange(1, 99)}号",
        ) | {"categories": [category], "salt": self.secret(8)}  # fmt: skip

    def edit(self) -> Document:
        path, value = self.chance.choice((("head.phone", f"13{self._bits(29):09}"), ("size", 3), ("note", self.note())))
        base = [f"{self.device}/{self.chance.randrange(1, 900)}"]
        return {"set": {path: value}, "base": {path: base}, "salt": self.secret(8)}

    def op(self) -> Document:
        """What travels of one op."""
        chance = self.chance
        self.ms += chance.randrange(20_000, 500_000)
        town, subject = self.village[:9], self.new_id()
        household = chance.choice(self.households)
        kind, stream, subject, body = chance.choices(
            (
                ("delivery.recorded", town, subject, self.delivery()),
                ("visit.recorded", town, subject, self.visit()),
                ("household.registered", town, subject, self.registration()),
                ("household.updated", town, household, self.edit()),
                ("delivery.voided", town, subject, {"reason": self.note(), "salt": self.secret(8)}),
                ("access.recorded", "office", subject, {"what": "sign-in"}),
                ("access.recorded", "office", subject, {"what": "reveal", "household": household}),
                ("allocation.set", f"trip-{self.trip}", self.trip, {"lines": [self.allotted() for _ in range(20)]}),
            ),
            (12, 2, 2, 2, 1, 1, 1, 1),
        )[0]
        hlc = clock.stamp(self.ms, 0)
        return {
            "stream": stream, "hlc": hlc, "actor": self.actor, "kind": kind, "v": 1, "subject": subject, "body": body,
        }  # fmt: skip

    def allotted(self) -> Document:
        return {"household": self.chance.choice(self.households), "item": self.chance.choice(ITEMS), "quantity": 1}

    # --- documents ---

    def push(self, count: int) -> Document:
        first, self.seq = self.seq, self.seq + count
        ops = [self.op() for _ in range(count)]
        return {
            "device": self.device, "from": first, "prev": self.hash(), "ops": ops, "head": self.hash(),
            "sig": self.secret(64),
        }  # fmt: skip

    def pushed(self) -> Document:
        """The answer to a push."""
        head, at = self.hash(), clock.from_ms(self.ms).strftime("%Y-%m-%dT%H:%M:%SZ")
        told: Document = {"through": self.seq, "head": head, "quarantined": [], "restamped": []}
        if self.chance.random() < 0.15:
            told["restamped"] = [{"seq": self.seq, "merge_hlc": clock.stamp(self.ms, 1)}]
        if self.chance.random() < 0.15:
            told["quarantined"] = [{"seq": self.seq, "problem": self.problem(0)}]
        receipt = {"device": self.device, "through": self.seq, "head": head, "at": at, "sig": self.secret(64)}
        return told | {"receipt": receipt}

    def problem(self, which: int) -> Document:
        name, status, detail, members = PROBLEMS[which % len(PROBLEMS)]
        ids = {key: self.any_id() for key, value in members.items() if value == ""}
        told = {"type": f"urn:aidvisit:problem:{name}", "title": name.replace("-", " "), "status": status}
        return {**told, "detail": detail, **members, **ids}

    def streams(self) -> list[str]:
        return sorted((self.village[:9], "org", f"team-{self.team}", f"trip-{self.trip}"))

    def cursors(self) -> Document:
        return {stream: self.chance.choice((0, 7, 34, 180, 2044)) for stream in self.streams()}

    def pull(self) -> Document:
        """What a laptop asks with."""
        status = {
            "version": self.chance.choice(STATUS_VERSIONS), "blobs_waiting": self.chance.choice((0, 0, 4)),
            "disk_free_bytes": self.chance.randrange(10**9, 10**12), "clock": self._moment(), "waiting": self.seq % 9,
        }  # fmt: skip
        asked = {"epoch": self.epoch, "cursors": self.cursors(), "limit": 2000, "dictionary": 1}
        return self.some(asked, status=status, witness=[self.seq])

    def _moment(self) -> str:
        return clock.from_ms(self.ms).isoformat(timespec="milliseconds")

    def page(self, count: int) -> Document:
        """The answer to a pull."""
        ops = []
        for n in range(count):
            op = self.op()
            stamped = {"merge_hlc": clock.stamp(self.ms, 1)} if self.chance.random() < 0.1 else {}
            named = {"stream": op["stream"], "n": n + 1, "device": self.device, "seq": self.seq + n}
            ops.append({**named, "hlc": op["hlc"], **{k: v for k, v in op.items() if k not in named}, **stamped})
        answer = {
            "epoch": self.epoch, "grants": self.streams(), "server_time": self._moment().replace("+00:00", "Z"),
            "through": self.seq, "head": self.hash(), "ops": ops, "cursors": self.cursors(), "more": False,
        }  # fmt: skip
        place = str(self.seq)
        witness = {"device": self.centre, "seq": self.seq, "head": self.hash(), "held": {place: self.hash()}}
        answer = self.some(answer, witness=witness | {"digests": {place: self.hash()}})
        return answer | {"dictionary": 1}


def documents(seed: int) -> Iterator[Document]:
    """What one laptop and its centre say to each other, with a refusal now and then."""
    world = World(seed)
    for count in (1, 2, 1, 6, 1):
        yield world.push(count)
        yield world.pushed()
        yield world.pull()
        yield world.page(0)
        yield world.page(count - 1)
    yield world.problem(seed)
