"""Aid deliveries recorded where there is no line, and one truth at the office."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("aidvisit")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"
