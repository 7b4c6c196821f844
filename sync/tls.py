"""Secure connections: taken up again cheaply; why one was not made, in words; it is never made in another way."""

from __future__ import annotations

import ssl
import weakref
from datetime import datetime
from typing import Any, Self

Words = dict[str, str]

_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)  # the line, not what was said on it

# OpenSSL's X509_V_ERR numbers (openssl-verification-options(1)).
_NOT_YET, _EXPIRED = 9, 10
_OTHER_NAME = {62, 64}
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}


class Resuming(ssl.SSLContext):
    """A client's context that offers the last session again: certificates (some 3 KB) are not sent twice.

    Its session ends with the process; what was checked when it began holds for it.
    """

    _session: ssl.SSLSession | None = None
    _last: weakref.ref[ssl.SSLSocket] | None = None

    @classmethod
    def make(cls) -> Self:
        """TLS 1.2 or newer, certificate and name checked; the authorities are given by who connects."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def wrap_socket(self, *what: Any, **how: Any) -> ssl.SSLSocket:
        made = super().wrap_socket(*what, **{"session": self._session, **how})
        self._last = weakref.ref(made)
        return made

    def keep_session(self) -> None:
        """To be called after an answer: with TLS 1.3 a session comes only after the handshake."""
        last = self._last() if self._last else None
        session = last.session if last else None
        if session is not None:
            self._session = session


def is_authority(path: str) -> bool:
    """Whether a file holds at least one certificate in PEM."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        return False
    return True


def reason(error: BaseException, now: datetime) -> Words | None:
    """What failed in the handshake, as {"zh", "en"}; None when it was something else. `now`: this machine's clock."""
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, now)
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, _HUNG_UP):
        what = (cause.reason or "TLS").replace("_", " ").lower()
        return {
            "zh": f"两边没有谈成加密方式({what})。多半是地址或端口不对,或服务器的 TLS 设置太旧。",
            "en": f"both ends found no common encryption ({what}). Most likely the address or the port is wrong, or "
            "the server's TLS is too old.",
        }
    return None


def _certificate(error: ssl.SSLCertVerificationError, now: datetime) -> Words:
    code, today = error.verify_code, f"{now:%Y-%m-%d %H:%M}"
    if code == _EXPIRED:
        return {
            "zh": f"服务器的证书已过期,或本机的日期不对(现在显示 {today})。请先校对日期,仍不行请告诉管理员。",
            "en": f"the server's certificate has expired, or this machine's date is wrong (it says {today}). Set the "
            "date first; if that does not help, tell an administrator.",
        }
    if code == _NOT_YET:
        return {
            "zh": f"服务器的证书还没有生效,多半是本机的日期不对(现在显示 {today})。请先校对日期。",
            "en": "the server's certificate is not valid yet; most likely this machine's date is wrong (it says "
            f"{today}). Set the date first.",
        }
    if code in _OTHER_NAME:
        return {
            "zh": "服务器的证书是给别的名字的。请核对地址;地址没错就可能有人冒充,请告诉管理员。",
            "en": "the server's certificate is for another name. Check the address; if it is right, somebody may be "
            "posing as the centre: tell an administrator.",
        }
    if code in _UNKNOWN_AUTHORITY:
        return {
            "zh": "不认识服务器证书的签发者。单位自己签发的,请在登记时用 --ca 指定签发者的证书;"
            "否则可能有人冒充,或网络要先在浏览器里登录。",
            "en": "nobody knows who issued the server's certificate. If your own organisation did, name its authority "
            "with --ca when enrolling; else somebody may be posing as the centre, or the network wants you to sign "
            "in with a browser first.",
        }
    return {
        "zh": f"服务器的证书没有通过检查({error.verify_message})。请告诉管理员。",
        "en": f"the server's certificate did not pass ({error.verify_message}). Tell an administrator.",
    }


def _cause(error: BaseException) -> BaseException | None:
    """The handshake's own error, under what requests and urllib3 wrap around it."""
    waiting: list[object] = [error]
    seen: list[object] = []
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        if isinstance(one, ssl.SSLError):
            return one
        seen.append(one)
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return None
