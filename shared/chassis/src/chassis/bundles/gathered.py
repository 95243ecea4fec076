"""A whole partner's customers as one file: a zip archive of bundles, whose manifest says the hash of each and is signed.

It is written and read a bundle at a time, so memory stays flat however many there are. Each bundle is
signed itself: one that is taken out of its collection is as good as before.
"""

import hashlib
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from chassis.bundles.archive import FORMAT, believed, entry, signed
from chassis.bundles.errors import BundleInvalid, BundleUnknown
from chassis.keys import KeySet
from contracts.records import Part

MANIFEST: Final = "partner.json"
SIGNATURE: Final = "partner.jws"


class Collected(Part):
    """Whose customers they are, and the hash of each one's bundle."""

    format: Literal[2]
    key_id: str
    partner_id: UUID
    customers: dict[UUID, str]


class _Pieces:
    """A file that is taken away piece by piece while it is written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._written.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever takes the pieces away knows when it is over."""

    def take(self) -> bytes:
        taken = b"".join(self._written)
        self._written.clear()
        return taken


@dataclass(frozen=True, slots=True)
class Found:
    """One bundle of a file; ``customer_id`` is what the collection calls it, None where the file is a bundle itself."""

    customer_id: UUID | None
    content: bytes


def name_of(customer_id: UUID) -> str:
    return f"{customer_id}.zip"


async def collected(
    partner_id: UUID, hashes: Mapping[UUID, str], bundles: AsyncIterator[tuple[UUID, bytes]], key: OKPKey
) -> AsyncIterator[bytes]:
    """The file, piece by piece. ``hashes`` are SHA-256 of the bundles that will come."""
    key.ensure_kid()
    manifest = Collected(format=FORMAT, key_id=str(key.kid), partner_id=partner_id, customers=dict(hashes))
    text = msgspec.json.encode(manifest.model_dump(mode="json"), order="sorted")
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as made:
        made.writestr(entry(MANIFEST), text)
        made.writestr(entry(SIGNATURE), signed(text, key))
        yield pieces.take()
        async for customer_id, bundle in bundles:
            made.writestr(entry(name_of(customer_id)), bundle)
            yield pieces.take()
    yield pieces.take()


class Opened:
    """A file of bundles, or of one, read from a disk one by one."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    async def bundles(self, keys: KeySet, now: datetime) -> AsyncIterator[Found]:
        """Each bundle as the collection says it is; what each says is for ``archive.unpack`` to check.

        Raises:
            BundleUnsigned: none of these keys has signed the collection as it is.
            BundleInvalid: one is missing, was changed, or is not in the manifest.
        """
        if not self._is_collection():
            yield Found(None, self._path.read_bytes())
            return
        with _readable(), zipfile.ZipFile(self._path) as opened:
            said = await self._manifest(opened, keys, now)
            names = {name_of(customer_id) for customer_id in said.customers} | {MANIFEST, SIGNATURE}
            if set(opened.namelist()) != names or len(opened.namelist()) != len(names):
                raise BundleInvalid("a customer's bundle is missing, or one is not in the manifest")
            for customer_id, sha256 in said.customers.items():
                yield Found(customer_id, _checked(opened, customer_id, sha256))

    def _is_collection(self) -> bool:
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(self._path) as opened:
            return MANIFEST in opened.namelist()
        return False

    async def _manifest(self, opened: zipfile.ZipFile, keys: KeySet, now: datetime) -> Collected:
        text = opened.read(MANIFEST)
        await believed(text, opened.read(SIGNATURE) if SIGNATURE in opened.namelist() else b"", keys, now)
        try:
            return Collected.model_validate_json(text)
        except ValidationError as broken:
            raise BundleUnknown from broken


def _checked(opened: zipfile.ZipFile, customer_id: UUID, sha256: str) -> bytes:
    content = opened.read(name_of(customer_id))
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleInvalid(f"the bundle of customer {customer_id} was changed")
    return content


@contextmanager
def _readable() -> Iterator[None]:
    """A file that cannot be read is no bundle."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as broken:
        raise BundleInvalid(f"the file cannot be read: {broken}") from broken
