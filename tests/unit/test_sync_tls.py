"""A secure connection that is not made is told in words, and nothing is sent in another way."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sync.problem import Problem
from sync.transport import HttpTransport
from tests.support.authority import DAY, Authority, Certificate

heard: list[str] = []
resumed: list[bool] = []


class Answering(BaseHTTPRequestHandler):
    """Any POST is answered with an empty object; that it came is in `heard`."""

    def do_POST(self) -> None:
        heard.append(self.path)
        resumed.append(getattr(self.connection, "session_reused", False))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # refused handshakes are what is tested


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def serving(certificate: Certificate | None, most: ssl.TLSVersion | None = None) -> Iterator[int]:
    """A server with this certificate (none: plain HTTP) that speaks no TLS newer than `most`; its port."""
    heard.clear()
    resumed.clear()
    server = Server(("127.0.0.1", 0), Answering)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        if most is not None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with pytest.warns(DeprecationWarning, match="TLSv1"):
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, most
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(url: str, verify: bool | str) -> Problem:
    with pytest.raises(Problem) as caught:
        HttpTransport(url, verify=verify).call("pull", {}, "token")
    assert not heard, "nothing was sent"
    return caught.value


def test_a_private_authority_is_believed(authority: Authority) -> None:
    with serving(authority.give("localhost", "127.0.0.1")) as port:
        for host in ("localhost", "127.0.0.1"):
            transport = HttpTransport(f"https://{host}:{port}", verify=str(authority.path))
            assert transport.call("pull", {}, None).document == {}


def test_a_session_is_taken_up_again(authority: Authority) -> None:
    """Coming back costs no certificates; another transport, which has not checked them, gets them."""
    with serving(authority.give("localhost")) as port:
        transport = HttpTransport(f"https://localhost:{port}", verify=str(authority.path))
        for _ in range(2):
            transport.call("pull", {}, None)
            transport._adapter.poolmanager.clear()
        assert resumed == [False, True]
        HttpTransport(f"https://localhost:{port}", verify=str(authority.path)).call("pull", {}, None)
        assert resumed == [False, True, False]


def test_an_unknown_authority_is_told(authority: Authority, tmp_path: Path) -> None:
    with serving(authority.give("127.0.0.1")) as port:
        for verify in (True, str(Authority(tmp_path, "Another").path)):
            problem = refused(f"https://127.0.0.1:{port}", verify)
            assert problem.name == "tls-failed"
            assert "--ca" in problem.words("zh")
            assert "--ca" in problem.words("en")
            assert "签发者" in problem.words("zh")


def test_another_name_is_told(authority: Authority) -> None:
    with serving(authority.give("elsewhere.example")) as port:
        for host in ("localhost", "127.0.0.1"):
            problem = refused(f"https://{host}:{port}", str(authority.path))
            assert problem.name == "tls-failed"
            assert "another name" in problem.words("en")


@pytest.mark.parametrize(("after", "lasts"), [(-2 * DAY, DAY), (DAY, DAY)])
def test_a_certificate_of_another_day_speaks_of_the_clock(
    authority: Authority, after: dt.timedelta, lasts: dt.timedelta
) -> None:
    """A laptop whose battery went empty believes that it is 2018: every certificate looks wrong then."""
    with serving(authority.give("127.0.0.1", after=after, lasts=lasts)) as port:
        problem = refused(f"https://127.0.0.1:{port}", str(authority.path))
    assert problem.name == "tls-failed"
    assert "本机的日期不对" in problem.words("zh")
    assert f"{dt.datetime.now():%Y-%m-%d}" in problem.words("en")  # noqa: DTZ005 (as the machine shows it)
    assert problem.kind.retry


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(authority: Authority, most: ssl.TLSVersion) -> None:
    with serving(authority.give("127.0.0.1"), most) as port:
        assert refused(f"https://127.0.0.1:{port}", str(authority.path)).name == "tls-failed"


def test_a_plain_port_is_not_spoken_to(authority: Authority) -> None:
    with serving(None) as port:
        assert refused(f"https://127.0.0.1:{port}", str(authority.path)).name == "tls-failed"


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"\x30\x82\x01\x00"])
def test_a_file_that_holds_no_authority_is_named(authority: Authority, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with serving(authority.give("127.0.0.1")) as port:
        problem = refused(f"https://127.0.0.1:{port}", str(path))
    assert problem.name == "ca-unreadable"
    assert str(path) in problem.words("zh")


def test_a_line_that_is_cut_in_the_handshake_is_only_a_line(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            near, _ = listening.accept()
            near.recv(64)
            near.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        assert refused(url, str(authority.path)).name == "server-unreachable"
        thread.join()


def test_a_redirect_is_not_followed(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the token nor a single op goes to wherever a redirect points."""

    def redirect(self: Answering) -> None:
        heard.append(self.path)
        self.send_response(308)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    monkeypatch.setattr(Answering, "do_POST", redirect)
    with serving(authority.give("127.0.0.1")) as port, pytest.raises(Problem) as caught:
        HttpTransport(f"https://127.0.0.1:{port}", verify=str(authority.path)).call("pull", {}, "token")
    assert caught.value.name == "hotel-wifi"
    assert heard == ["/sync/v1/pull"]
