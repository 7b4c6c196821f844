"""nginx and Caddy as docs/samples sets them up: what is there, else installed, else a sentence.

`python -m tests.support.proxies` installs what is missing; `find(name)` only looks. The samples are used as they are,
but for names, ports and paths: `REPLACED` is the whole list.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.authority import Certificate
from tests.support.centre import free_port

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
PACKAGES = {"nginx": "nginx-light", "caddy": "caddy"}
PLACES = {"nginx": "/usr/sbin/nginx", "caddy": "/usr/bin/caddy"}
NAME = "localhost"
SENTENCE = (
    "{name} was not found and could not be installed, so the centre behind it was NOT tested. "
    "Install it (Debian: apt-get install {package}) and run the tests again."
)
# The rest of the samples is what runs. Values in braces: of one run.
REPLACED = {
    "nginx": {
        "aid.example.org": "{name}",
        "https://{name}$": "https://{name}:{https}$",
        "127.0.0.1:8000": "127.0.0.1:{centre}",
        "listen 80;": "listen 127.0.0.1:{http};",
        "listen 443 ": "listen 127.0.0.1:{https} ",
        "/etc/aidvisit/tls/fullchain.pem": "{chain}",
        "/etc/aidvisit/tls/privkey.pem": "{key}",
        "/var/log/nginx/aidvisit.log": "{log}",
    },
    "caddy": {
        "aid.example.org": "{name}",
        "127.0.0.1:8000": "127.0.0.1:{centre}",
        "http_port 80\n": "http_port {http}\n",
        "https_port 443\n": "https_port {https}\n",
        "/etc/aidvisit/tls/fullchain.pem": "{chain}",
        "/etc/aidvisit/tls/privkey.pem": "{key}",
        "/var/log/caddy/aidvisit.log": "{log}",
    },
}
# What stands around conf.d on Debian, with the defaults there that the sample must set right.
NGINX_CONF = """
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
daemon off;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    access_log {folder}/access.log;
    gzip on;
    include {folder}/aidvisit.conf;
}}
"""


def find(name: str) -> str | None:
    """Path of `nginx` or `caddy`."""
    return shutil.which(name) or (PLACES[name] if Path(PLACES[name]).is_file() else None)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy. `log`: its access log; `folder` holds whatever else it writes."""

    name: str
    folder: Path
    https: int
    http: int

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.https}"

    @property
    def log(self) -> Path:
        return self.folder / "access-of-the-sample.log"


@contextmanager
def running(name: str, centre_port: int, certificate: Certificate, folder: Path) -> Iterator[Proxy]:
    """The sample of `name` in front of a centre, until the block ends."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    proxy = Proxy(name, folder, free_port(), free_port())
    _write(proxy, centre_port, certificate)
    program = find(name)
    assert program is not None
    if name == "nginx":
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    else:
        command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    said = folder / "said.log"
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        _wait(proxy, process, said)
        yield proxy
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _write(proxy: Proxy, centre_port: int, certificate: Certificate) -> None:
    values = {
        "name": NAME, "https": proxy.https, "http": proxy.http, "centre": centre_port, "chain": certificate.chain,
        "key": certificate.key, "log": proxy.log, "folder": proxy.folder,
    }  # fmt: skip
    sample = (SAMPLES / ("nginx.conf" if proxy.name == "nginx" else "Caddyfile")).read_text(encoding="utf-8")
    for here, there in REPLACED[proxy.name].items():
        here = here.replace("{name}", NAME)
        assert here in sample, f"the sample of {proxy.name} does not hold {here!r}"
        sample = sample.replace(here, there.format(**values))
    if proxy.name == "nginx":
        (proxy.folder / "aidvisit.conf").write_text(sample, encoding="utf-8")
        (proxy.folder / "nginx.conf").write_text(NGINX_CONF.format(**values), encoding="utf-8")
    else:
        (proxy.folder / "Caddyfile").write_text(sample, encoding="utf-8")


def _wait(proxy: Proxy, process: subprocess.Popen[bytes], said: Path) -> None:
    """Until it takes connections; what it said is in the failure otherwise."""
    context = ssl._create_unverified_context()
    for _ in range(200):
        assert process.poll() is None, f"{proxy.name} ended: {said.read_text(errors='replace')}"
        connection = http.client.HTTPSConnection(NAME, proxy.https, timeout=5, context=context)
        try:
            connection.connect()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError(f"{proxy.name} does not answer: {said.read_text(errors='replace')}")


def main() -> int:
    for name, package in PACKAGES.items():
        if find(name) is None and not (debian.may_install() and debian.install(package) and find(name)):
            print(SENTENCE.format(name=name, package=package), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
