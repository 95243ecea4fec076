"""The event catalogue as it was committed, for whoever serves it: bytes, made by ``contracts.asyncapi``."""

from importlib.resources import files
from typing import Final

FILE: Final = "asyncapi.json"


def event_catalogue() -> bytes:
    """The AsyncAPI document of everything that is told."""
    return files("contracts").joinpath(FILE).read_bytes()
