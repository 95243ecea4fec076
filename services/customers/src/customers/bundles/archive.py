"""The file: a zip archive whose manifest says the hash of each part, and a signature over the manifest.

The same content, signed with the same key, is the same bytes: parts are stored in one order, with one
time. The signature is a detached JWS (RFC 7515, appendix F) of a type of its own, so no token is ever
taken for one. Nothing of an archive is believed before its signature and hashes have been checked.
"""

import base64
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from chassis.keys import KeySet
from contracts.records import Part
from customers.bundles.content import AUDIT, KEPT, NOUNS, Noun, lines
from customers.errors.bundles import BundleInvalid, BundleUnknown, BundleUnsigned

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
TYPE: Final = "partnerdeck-bundle"
LONGEST: Final = 512 * 1024 * 1024
"""Bytes that the parts of a bundle may have together."""
_ALGORITHM: Final = "Ed25519"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class FileSaid(Part):
    sha256: str
    rows: int


class Manifest(Part):
    """``services`` are those whose rows it has. It is ``whole`` when its reader was shown all of them."""

    format: Literal[1]
    services: list[Literal["customers"]]
    key_id: str
    customer_id: UUID
    whole: bool
    files: dict[str, FileSaid]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was read of an archive, and found to be as it was signed."""

    manifest: Manifest
    rows: Mapping[str, list[Part]]


def pack(customer_id: UUID, rows: Mapping[Noun, list[Part]], key: OKPKey, *, whole: bool) -> bytes:
    """A customer's rows as an archive."""
    key.ensure_kid()
    parts = {noun.file: lines(found) for noun, found in rows.items()}
    said = {noun.file: FileSaid(sha256=hashlib.sha256(parts[noun.file]).hexdigest(), rows=len(found)) for noun, found in rows.items()}
    manifest = Manifest(format=FORMAT, services=["customers"], key_id=str(key.kid), customer_id=customer_id, whole=whole, files=said)
    text = msgspec.json.encode(manifest.model_dump(mode="json"), order="sorted")
    return _zipped({MANIFEST: text, SIGNATURE: signed(text, key), **parts})


async def unpack(archive: bytes, keys: KeySet, now: datetime) -> Bundle:
    """What an archive says.

    Raises:
        BundleUnsigned: none of these keys has signed it as it is.
        BundleUnknown: it has another format.
        BundleInvalid: something in it is not as the manifest says, or of no shape that is known.
        KeysUnavailable: the keys cannot be fetched.
    """
    parts = _unzipped(archive)
    manifest = await _manifest(parts, keys, now)
    problems = list(_astray(parts, manifest))
    if problems:
        raise _invalid(problems)
    rows = {noun.file: list(_read(noun, parts[noun.file], problems)) for noun in NOUNS if noun.file in manifest.files}
    if problems:
        raise _invalid(problems)
    return Bundle(manifest, rows)


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, content)
    return made.getvalue()


def _unzipped(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) < len(names) or sum(entry.file_size for entry in entries) > LONGEST:
                raise BundleInvalid("it is too large, or has a part twice")
            return {entry.filename: opened.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as broken:
        raise BundleInvalid(f"the archive cannot be read: {broken}") from broken


def signed(text: bytes, key: OKPKey) -> bytes:
    """The signature of a manifest."""
    header, _, signature = jws.serialize_compact(
        {"alg": _ALGORITHM, "kid": key.kid, "typ": TYPE}, text, key, algorithms=[_ALGORITHM]
    ).split(".")
    return f"{header}..{signature}".encode()


async def _manifest(parts: Mapping[str, bytes], keys: KeySet, now: datetime) -> Manifest:
    text, header = parts.get(MANIFEST), parts.get(SIGNATURE, b"").split(b".")
    if text is None or len(header) != 3:  # noqa: PLR2004 (a compact JWS has three parts)
        raise BundleUnsigned("it has no manifest, or no signature")
    token = b".".join((header[0], base64.urlsafe_b64encode(text).rstrip(b"="), header[2]))
    try:
        said = jws.extract_compact(token).headers()
        key = await keys.find(str(said.get("kid")), now)
        if key is None or said.get("typ") != TYPE or said.get("alg") != _ALGORITHM or "crit" in said:
            raise BundleUnsigned(f"no key {said.get('kid')} is known, or it is no signature of a bundle")
        jws.deserialize_compact(token, key, algorithms=[_ALGORITHM])
        document = msgspec.json.decode(text)
    except (JoseError, ValueError) as broken:
        raise BundleUnsigned from broken
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BundleUnknown
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as broken:
        raise BundleUnknown from broken


def _astray(parts: Mapping[str, bytes], manifest: Manifest) -> Iterator[str]:
    files = manifest.files
    yield from (f"{name} is not in the manifest" for name in parts.keys() - files.keys() - {MANIFEST, SIGNATURE})
    yield from (f"{noun.file} is missing" for noun in KEPT if noun.file not in files)
    yield from (f"{name} is of no kind that is known" for name in files.keys() - {noun.file for noun in (*KEPT, AUDIT)})
    for name, said in files.items():
        if name not in parts:
            yield f"{name} is missing"
        elif hashlib.sha256(parts[name]).hexdigest() != said.sha256:
            yield f"{name} was changed"
        elif parts[name].count(b"\n") != said.rows:
            yield f"{name} has not {said.rows} rows"


def _read(noun: Noun, text: bytes, problems: list[str]) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield noun.row.model_validate_json(line)
        except ValidationError as wrong:
            places = sorted({"/".join(map(str, one["loc"])) for one in wrong.errors(include_input=False)})
            problems.append(f"{noun.file}, line {number}: {', '.join(places)}")


def _invalid(problems: list[str]) -> BundleInvalid:
    return BundleInvalid("; ".join(sorted(problems)), problems=[*sorted(problems)])
