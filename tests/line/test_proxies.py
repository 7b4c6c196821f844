"""A centre behind nginx and behind Caddy, as docs/samples says, and laptops that trust a private authority."""

from __future__ import annotations

import datetime as dt
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.store.database import reading
from sync import log
from tests.line.conftest import ask, init, record, waiting
from tests.support import proxies
from tests.support.authority import DAY, Authority
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import Node
from tests.support.proxies import NAME, Proxy, running

MIB = 1024 * 1024


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def program(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if proxies.find(name) is None:
        pytest.skip(proxies.SENTENCE.format(name=name, package=proxies.PACKAGES[name]))
    return name


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    centre = Centre(tmp_path_factory.mktemp("centre") / "home")
    with (centre.home / "settings.toml").open("a") as settings:
        settings.write("behind_proxy = true\n")
    with centre.running():
        yield centre


@pytest.fixture(scope="module")
def proxy(
    program: str, centre: Centre, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(program) / "run"
    with running(program, centre.port, authority.give(NAME), folder) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def enrolled(
    proxy: Proxy, centre: Centre, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    home = tmp_path_factory.mktemp("laptop") / "field"
    return home, init(centre, home, proxy.url, "--ca", str(authority.path))


@pytest.fixture
def laptop(enrolled: tuple[Path, dict[str, Any]], tmp_path: Path) -> Node:
    assert enrolled[1]["name"] == "", enrolled[1]
    return Node(enrolled[0], "field")


@pytest.fixture
def visitor(proxy: Proxy, authority: Authority) -> Visitor:
    return Visitor(proxy, authority)


class Visitor:
    """Requests through the proxy from an address of one's choice in 127.0.0.0/8."""

    def __init__(self, proxy: Proxy, authority: Authority) -> None:
        self.proxy = proxy
        self.context = ssl.create_default_context(cafile=str(authority.path))

    def ask(
        self, method: str, path: str, body: bytes = b"", address: str = "127.0.0.1", **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            NAME, self.proxy.https, timeout=30, source_address=(address, 0), context=self.context
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()


def test_a_laptop_works_through_it(laptop: Node) -> None:
    record(laptop)
    record(laptop)
    done = ask(laptop, "sync")
    assert (done["name"], done["pushed"], done["waiting"]) == ("", 2, 0)


def test_without_the_authority_nothing_is_sent(laptop: Node, tmp_path: Path) -> None:
    record(laptop)
    before = waiting(laptop)
    settings = laptop.home / "settings.toml"
    kept = settings.read_text(encoding="utf-8")
    settings.write_text("".join(line for line in kept.splitlines(True) if not line.startswith("ca_file")))
    try:
        said = ask(laptop, "sync")
    finally:
        settings.write_text(kept, encoding="utf-8")
    assert said["name"] == "tls-failed"
    assert "--ca" in said["detail"]
    assert ask(laptop, "sync", ca_file=str(Authority(tmp_path, "Another").path))["name"] == "tls-failed"
    assert waiting(laptop) == before


@pytest.mark.parametrize(
    ("name", "after", "word"), [("elsewhere.example", dt.timedelta(0), "名字"), (NAME, -31 * DAY, "日期")]
)
def test_a_certificate_that_does_not_pass(
    program: str, centre: Centre, authority: Authority, laptop: Node, tmp_path: Path, name: str, after: dt.timedelta,
    word: str,
) -> None:  # fmt: skip
    with running(program, centre.port, authority.give(name, after=after), tmp_path / "proxy") as other:
        said = ask(laptop, "sync", server_url=other.url)
    assert said["name"] == "tls-failed"
    assert word in said["detail"]


def test_another_name_gets_no_certificate_at_all(proxy: Proxy, laptop: Node) -> None:
    assert ask(laptop, "sync", server_url=f"https://127.0.0.1:{proxy.https}")["name"] == "tls-failed"


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        (ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True),
    ],
)  # fmt: skip
def test_old_tls_is_not_spoken(visitor: Visitor, version: ssl.TLSVersion, spoken: bool) -> None:
    visitor.context.set_ciphers("ALL:@SECLEVEL=0")
    if spoken:
        visitor.context.minimum_version = visitor.context.maximum_version = version
        assert visitor.ask("GET", "/sign-in").status == 200
        return
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        visitor.context.minimum_version = visitor.context.maximum_version = version
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version|unsupported.protocol"):
        visitor.ask("GET", "/sign-in")


def test_the_plain_port_only_points_to_the_other(proxy: Proxy, laptop: Node) -> None:
    connection = http.client.HTTPConnection(NAME, proxy.http, timeout=30)
    connection.request("POST", "/sync/v1/pull", b"{}", {"Host": "evil.example" if proxy.name == "nginx" else NAME})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 308
    # Caddy takes the port to be 443, as it is outside of this test.
    port = f":{proxy.https}" if proxy.name == "nginx" else ""
    assert answer.headers["Location"] == f"https://{NAME}{port}/sync/v1/pull"
    assert ask(laptop, "sync", server_url=f"http://{NAME}:{proxy.http}")["name"] == "hotel-wifi"


def test_browsers_are_told_once_to_stay_with_tls(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/sign-in", Accept_Encoding="gzip, br, zstd")
    assert answer.status == 200
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    assert answer.headers["Content-Encoding"] is None
    assert len(answer.headers.get_all("Content-Security-Policy")) == 1


def test_the_limit_is_the_centres_own(visitor: Visitor) -> None:
    """What the centre would read passes; what it would not is refused."""
    assert visitor.ask("POST", "/sync/v1/push", b" " * (8 * MIB - 1000)).status == 401, "asked for a token"
    try:
        refusal = visitor.ask("POST", "/sync/v1/push", b" " * (8 * MIB + 1)).status
    except (ssl.SSLError, ConnectionError):
        return  # the proxy hung up on what was still being sent
    assert refusal == 413 or (visitor.proxy.name == "caddy" and refusal == 502)


def test_the_clients_own_address_is_what_counts(visitor: Visitor) -> None:
    """Guessing codes is slowed down for the guesser, whatever he says of his address, and for nobody else."""
    guess = b'{"name": "n", "public_key": "Kay64UG8yvCyLhqU000LxzYeUm0L_hLIl5S8kyKWbdc", "code": "00000-00000"}'

    def status(address: str, **headers: str) -> int:
        return visitor.ask("POST", "/sync/v1/enrol", guess, address, Content_Type="application/json", **headers).status

    guesser = "127.0.7.1" if visitor.proxy.name == "nginx" else "127.0.8.1"
    seen = [
        status(guesser, X_Forwarded_For=f"10.0.0.{n}", X_Real_IP=f"10.0.0.{n}", Forwarded=f"for=10.0.0.{n}")
        for n in range(30)
    ]
    assert (seen[0], seen[-1]) == (403, 429)
    assert status(guesser + "1") == 403


def test_no_secret_is_in_its_logs(proxy: Proxy, laptop: Node, visitor: Visitor) -> None:
    assert ask(laptop, "sync")["name"] == ""
    visitor.ask("GET", "/sign-in?next=%2Fneedle-in-a-query", Referer="https://x/needle-in-a-referrer")
    with laptop.inside(), reading() as conn:
        token = log.recall(conn, "token")
    written = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    logged = proxy.log.read_text()
    assert "/sync/v1/pull" in logged
    assert "127.0.0.1" in logged
    for needle in (token, "Bearer", "needle-in-a-query", "needle-in-a-referrer", PASSWORD, "3 号笔记本"):
        assert needle.encode() not in written
