"""One class for every refusal, raised at either end and carried between them as RFC 9457 problem+json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from sync.proof import Proof

URN = "urn:aidvisit:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a problem is called by HTTP (`status`) and by people: what happened, then what to do."""

    status: int
    zh: str
    en: str
    retry: bool = False


CATALOGUE: dict[str, Kind] = {
    "unauthorized": Kind(
        401,
        "中心服务器不认识这台设备的口令。记录都还在本机;请向管理员要登记码,在“上报”页填上继续。",
        "The central server does not know this device's token. Every record is still here; ask an administrator for an "
        "enrolment code and go on with it on the Sync page.",
    ),
    "device-revoked": Kind(
        403,
        "这台设备已被停用,不再收发记录。记录都还在本机;请联系管理员。",
        "This device was revoked and neither sends nor receives. Every record is still here; ask an administrator.",
    ),
    "enrolment-code-invalid": Kind(
        403,
        "登记码不对、用过了或已过期(24 小时内有效)。请向管理员要一个新的。",
        "The enrolment code is wrong, used or expired (it lasts 24 hours). Ask an administrator for a new one.",
    ),
    "invitation-invalid": Kind(
        422,
        "这不是登记邀请:邀请里有服务器地址、登记码和服务器指纹。请重新扫码,或照卡片手工填写。",
        "This is no invitation: one holds the server's address, a code and the server's fingerprint. "
        "Scan it again, or type what the card says.",
    ),
    "fingerprint-invalid": Kind(
        422,
        "服务器指纹抄错了:是八组、每组四个字符(0–9、a–f),或一串 43 个字符。请对照卡片再填。",
        "The server's fingerprint is mistyped: it has eight groups of four (0–9, a–f), or 43 characters in one. "
        "Compare it with the card and type it again.",
    ),
    "too-many-attempts": Kind(
        429,
        "试得太多了,请 {retry_after} 秒后再试。",
        "Too many attempts: try again in {retry_after} seconds.",
        retry=True,
    ),
    "too-large": Kind(
        413,
        "一次发送太多:最多 {max_ops} 条、{max_bytes} 字节。会自动分小批再发。",
        "Too much at once: at most {max_ops} ops and {max_bytes} bytes. It is sent again in smaller batches.",
    ),
    "malformed": Kind(
        422,
        "发送的内容不合协议:{detail}。记录都还在本机。",
        "What was sent is not well formed: {detail}. Every record is still on the device.",
    ),
    "chain-broken": Kind(
        422,
        "记录的校验链对不上,可能被改动过。记录都还在本机,请联系管理员。",
        "The records do not hash to the chain that was announced. They are all still on the device; call the office.",
    ),
    "bad-signature": Kind(
        422,
        "签名与这台设备的密钥不符。记录都还在本机,请联系管理员。",
        "The signature is not by this device's key. Every record is still on the device; call the office.",
    ),
    "fork": Kind(
        409,
        "这台设备像是从备份或克隆恢复的(第 {seq} 条起与中心不同)。可以继续登记;请在“上报”页按“作为新的一台继续”。",
        "This device looks like a restored copy (it differs from op {seq} on). Go on recording; on the Sync page press "
        "“Go on as a new laptop”.",
    ),
    "gap": Kind(
        409,
        "中心只收到第 {through} 条,会从下一条补发。",
        "The centre holds ops up to {through}; sending goes on from the next one.",
    ),
    "bundle-damaged": Kind(
        422,
        "这个文件不完整或被改动过:{reason}。什么都没有读入;请从原处再拷一次。",
        "This file is not whole, or was altered: {reason}. Nothing was taken from it; "
        "copy it again from where it was made.",
    ),
    "bundle-not-ours": Kind(
        422,
        "这个文件不是给这里的(是给另一台中心或另一台笔记本的),或者开头损坏了。什么都没有读入;请核对拿的是哪个文件。",
        "This file is not for here but for another centre or laptop, or it is damaged at its start. "
        "Nothing was taken from it; look which file it is.",
    ),
    "bundle-newer": Kind(
        422,
        "这个文件是更新的版本做的,本程序看不懂,什么都没有读入。请先升级这里的程序。",
        "This file was made by a newer version and cannot be read here; nothing was taken from it. "
        "Upgrade this program.",
    ),
    "bundle-too-large": Kind(
        413,
        "这个文件太大:最多 {max_megabytes} MB。什么都没有读入;请用命令行 aidvisit bundle import,或分几次拷。",
        "This file is too large: at most {max_megabytes} MB. Nothing was taken from it; "
        "use the command aidvisit bundle import, or carry it in parts.",
    ),
    "bundle-unknown-device": Kind(
        422,
        "中心不认识做这个文件的笔记本({device}),什么都没有读入。请先登记那台笔记本。",
        "The centre does not know the laptop that made this file ({device}); nothing was taken from it. "
        "Enrol that laptop first.",
    ),
    "bundle-outdated": Kind(
        409,
        "这个回执包是中心恢复之前做的,现在不算数了,什么都没有读入。请把新的拷贝带给中心,再带回新的回执包。",
        "This answer was made before the centre was restored and does not count any more; nothing was taken from it. "
        "Carry a new bundle to the centre and bring its new answer.",
    ),
    "bundle-no-recipient": Kind(
        409,
        "还不知道中心服务器的加密地址,不能拷到 U 盘。请先联网同步一次;中心的程序也要是带 U 盘功能的版本。",
        "The centre's encryption address is not known yet, so nothing can be put on a stick. Sync once over a line; "
        "the centre's program must know bundles as well.",
    ),
    "too-many-requests": Kind(
        429,
        "中心服务器正忙,请 {retry_after} 秒后再试。",
        "The central server is busy: try again in {retry_after} seconds.",
        retry=True,
    ),
    "unavailable": Kind(
        503,
        "中心服务器暂时不能用,请 {retry_after} 秒后再试。",
        "The central server is not available: try again in {retry_after} seconds.",
        retry=True,
    ),
    "not-found": Kind(
        404,
        "没有这一页。请从首页重新进入。",
        "There is no such page. Start again from the first page.",
    ),
    "offset-mismatch": Kind(
        409,
        "照片或签名要从第 {offset} 字节接着发。会自动接着发。",
        "The photo or signature goes on at byte {offset}. It is continued there.",
        retry=True,
    ),
    "hash-mismatch": Kind(
        422,
        "照片或签名传坏了,中心没有留下。会自动重新发送。",
        "The photo or signature was damaged on its way and was not kept. It is sent again.",
        retry=True,
    ),
    "range-not-satisfiable": Kind(
        416,
        "要的一段在文件之外。请整个重取。",
        "The range that was asked for is outside of the file. Fetch the whole.",
    ),
    "unknown-kind": Kind(
        422,
        "本版本还不认识这种记录:{kind} 第 {v} 版。升级后会自动处理。",
        "This version does not know {kind} v{v}. It is taken up after an upgrade.",
    ),
    "invalid-body": Kind(
        422,
        "记录内容不合规定:{detail}",
        "The body does not fit its kind: {detail}",
    ),
    "unknown-subject": Kind(
        422,
        "所指的{what}还没有收到:{id}。收到后会自动放行。",
        "The {what} it is about is not known yet: {id}. It is released by itself when that arrives.",
    ),
    "subject-exists": Kind(
        409,
        "同一编号已有另一条不同的记录:{id}。",
        "Another fact with the same id exists already and differs: {id}.",
    ),
    "not-allowed": Kind(
        403,
        "{actor_or_device} 无权做这件事:{kind}。",
        "{actor_or_device} may not do this: {kind}.",
    ),
    "not-granted": Kind(
        403,
        "这台设备没有这部分资料的权限:{stream}。",
        "This device was not granted the stream {stream}.",
    ),
    "not-numbered": Kind(
        409,
        "中心恢复之后还没有这条记录;作者的设备再次上报后会恢复。",
        "The centre was restored and does not hold this; it comes back when its author's device has sent it again.",
    ),
    "hotel-wifi": Kind(
        502,
        "{url} 回答的是网页,不是中心服务器。多半是旅馆或商场的上网登录页:请先在浏览器里登录网络。",
        "{url} answered with a web page, not as the central server: most likely a Wi-Fi sign-in page. "
        "Open a browser and sign in to the network first.",
        retry=True,
    ),
    "server-unreachable": Kind(
        503,
        "连不上中心服务器 {url}:没有网络,或地址不对。登记过的都在本机,有网络时自动上报。",
        "The central server {url} cannot be reached: no network, or the address is wrong. "
        "Whatever was recorded is on this machine and is sent when there is a line.",
        retry=True,
    ),
    "tls-failed": Kind(
        502,
        "与 {url} 的加密连接没有建成:{reason} 没有发送任何内容;记录都在本机,会自动再试。",
        "No secure connection to {url}: {reason} Nothing was sent; every record is on this machine and is tried again.",
        retry=True,
    ),
    "ca-unreadable": Kind(
        422,
        "读不了证书文件 {path},不能确认中心服务器是真的。请放回该文件(PEM 格式),或改正设置里的 ca_file。"
        "记录都还在本机。",
        "The certificate file {path} cannot be read, so the central server cannot be told from another. Put it back "
        "(PEM), or correct ca_file in the settings. Every record is still here.",
    ),
    "other-server": Kind(
        502,
        "这个地址上回答的是另一台服务器,不是登记时的那一台,没有采信,上报停了。登记照常,记录都在本机。"
        "请核对地址;确实换了服务器,请向管理员要登记码,在“上报”页填上继续。",
        "Another server answers at this address, not the one that this laptop was enrolled with. It was not believed "
        "and sending stopped; recording goes on, every record is here. Check the address; if the server was really "
        "replaced, go on with a code from an administrator on the Sync page.",
    ),
    "uninvited-server": Kind(
        502,
        "这个地址上的服务器与卡片上的指纹对不上,没有登记,登记码也没有给它,还能用。请核对地址和指纹,抄错了就重填。",
        "The server at this address has not the fingerprint of the card. Nothing was enrolled, and the code was not "
        "shown to it: it can still be used. Compare address and fingerprint; a slip of the pen is typed again.",
    ),
    "receipt-invalid": Kind(
        502,
        "回执的签名不是中心服务器的,没有采信。请联系管理员。",
        "The receipt is not signed by the central server and was not believed. Call the office.",
    ),
    "server-error": Kind(
        500,
        "中心服务器出了差错(状态 {http_status})。记录都还在本机,会自动再试。",
        "The central server failed (status {http_status}). Every record is still here and is sent again by itself.",
        retry=True,
    ),
}


class _Gently(Formatter):
    """Missing members are a dash; one that is said in both languages, {"zh", "en"}, is said in this one."""

    def __init__(self, language: str) -> None:
        self._language = "zh" if language.startswith("zh") else "en"

    def get_value(self, key: int | str, _: Any, kwargs: Mapping[str, Any]) -> Any:
        value = kwargs.get(str(key), "–")
        return value.get(self._language, value) if isinstance(value, dict) else value


class Problem(Exception):  # noqa: N818 (RFC 9457 calls it a problem)
    """A refusal with a catalogued `name`; `members` are its RFC 9457 extension members.

    `proof` came with it when the other side said it over HTTP; `verified`: that was the server enrolled with.

    Raises: KeyError for a name that is not in the catalogue (a bug, so it stays one).
    Source: docs/protocol.md section 3; RFC 9457.
    """

    def __init__(self, name: str, detail: str = "", **members: Any) -> None:
        self.kind = CATALOGUE[name]
        self.name, self.detail, self.members = name, detail, members
        self.proof: Proof | None = None
        self.verified = False
        super().__init__(name)

    def __str__(self) -> str:
        return f"{self.name}: {self.detail or self.words('en')}"

    @property
    def status(self) -> int:
        return self.kind.status

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait, when the other side said so."""
        value = self.members.get("retry_after")
        return value if isinstance(value, int) else None

    def words(self, language: str = "zh") -> str:
        """One or two sentences for people: what happened, what to do."""
        template = self.kind.zh if language.startswith("zh") else self.kind.en
        return _Gently(language).format(template, **{"detail": self.detail, **self.members})

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": URN + self.name,
            "title": self.name.replace("-", " "),
            "status": self.status,
            "detail": self.detail or self.words("zh"),
            **self.members,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Problem:
        """The problem that the other side raised; one that this version does not know becomes `server-error`."""
        name = str(document.get("type", "")).removeprefix(URN)
        detail = str(document.get("detail") or "")
        if name not in CATALOGUE:
            return cls("server-error", detail, http_status=document.get("status", "–"))
        taken = ("type", "title", "status", "detail", "name", "self")
        return cls(name, detail, **{k: v for k, v in document.items() if k not in taken})
