"""Debian's packages for what the tests drive but pip cannot bring."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What keeps a package that brings a service from starting it (invoke-rc.d(8)).
POLICY = Path("/usr/sbin/policy-rc.d")


def may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str) -> bool:
    """Whether apt-get installed a package; a service in it is not started."""
    print(f"Installing Debian's package {package} …", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update"], ["install", "--yes", "--no-install-recommends", package])
    with _no_service_starts():
        return all(
            subprocess.run(["apt-get", "-qq", *step], env=environment, stdout=subprocess.DEVNULL).returncode == 0
            for step in steps
        )


@contextmanager
def _no_service_starts() -> Iterator[None]:
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()
