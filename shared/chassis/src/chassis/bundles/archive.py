"""The file: a zip archive whose manifest says the hash of each part, and a signature over the manifest.

The same content, signed with the same key, is the same bytes: parts are stored in one order, with one
time. The signature is a detached JWS (RFC 7515, appendix F) of a type of its own, so no token is ever
taken for one. Nothing of an archive is believed before its signature and hashes have been checked.
A service's files stand in a folder of its name, customers' in none.
"""

import base64
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from chassis.bundles.errors import BundleInvalid, BundleUnknown, BundleUnsigned, BundleWithoutPart
from chassis.bundles.nouns import Noun
from chassis.keys import KeySet
from contracts.records import Part

FORMAT: Final = 2
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

    format: Literal[2]
    services: list[str]
    key_id: str
    customer_id: UUID
    whole: bool
    files: dict[str, FileSaid]


@dataclass(frozen=True, slots=True)
class File:
    """A part as it is stored: JSON Lines, and how many."""

    text: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Which files a service reads of an archive; of others the hashes are checked. Those ``required`` must be there."""

    service: str
    nouns: Sequence[Noun]
    required: Sequence[Noun]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was read of an archive, and found to be as it was signed."""

    manifest: Manifest
    rows: Mapping[str, list[Part]]


def pack(customer_id: UUID, files: Mapping[str, File], key: OKPKey, *, services: Sequence[str], whole: bool) -> bytes:
    """What services say of a customer, as an archive."""
    key.ensure_kid()
    said = {name: FileSaid(sha256=hashlib.sha256(one.text).hexdigest(), rows=one.rows) for name, one in files.items()}
    manifest = Manifest(format=FORMAT, services=[*services], key_id=str(key.kid), customer_id=customer_id, whole=whole, files=said)
    text = msgspec.json.encode(manifest.model_dump(mode="json"), order="sorted")
    return _zipped({MANIFEST: text, SIGNATURE: signed(text, key), **{name: one.text for name, one in files.items()}})


async def unpack(archive: bytes, keys: KeySet, now: datetime, reader: Reader) -> Bundle:
    """What an archive says to a service.

    Raises:
        BundleUnsigned: none of these keys has signed it as it is.
        BundleUnknown: it has another format.
        BundleWithoutPart: it has nothing of this service.
        BundleInvalid: something in it is not as the manifest says, or of no shape that is known.
        KeysUnavailable: the keys cannot be fetched.
    """
    parts = _unzipped(archive)
    manifest = await _manifest(parts, keys, now)
    problems = list(_astray(parts, manifest, reader))
    if problems:
        raise _invalid(problems)
    if reader.service not in manifest.services:
        raise BundleWithoutPart(services=[*manifest.services])
    rows = {noun.file: list(_read(noun, parts[noun.file], problems)) for noun in reader.nouns if noun.file in manifest.files}
    if problems:
        raise _invalid(problems)
    return Bundle(manifest, rows)


def entry(name: str) -> zipfile.ZipInfo:
    """A part of an archive, which is the same whenever and by whomever it is made."""
    made = zipfile.ZipInfo(name, _EPOCH)
    made.create_system, made.external_attr = 3, 0o600 << 16
    return made


def signed(text: bytes, key: OKPKey) -> bytes:
    """The signature of a manifest."""
    header, _, signature = jws.serialize_compact(
        {"alg": _ALGORITHM, "kid": key.kid, "typ": TYPE}, text, key, algorithms=[_ALGORITHM]
    ).split(".")
    return f"{header}..{signature}".encode()


async def believed(text: bytes | None, signature: bytes, keys: KeySet, now: datetime) -> Any:
    """A manifest as it was signed, as JSON.

    Raises:
        BundleUnsigned: none of these keys has signed it as it is.
        BundleUnknown: it has another format.
        KeysUnavailable: the keys cannot be fetched.
    """
    header = signature.split(b".")
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
    return document


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(entry(name), content)
    return made.getvalue()


def _unzipped(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            names = [one.filename for one in entries]
            if len(set(names)) < len(names) or sum(one.file_size for one in entries) > LONGEST:
                raise BundleInvalid("it is too large, or has a part twice")
            return {one.filename: opened.read(one) for one in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as broken:
        raise BundleInvalid(f"the archive cannot be read: {broken}") from broken


async def _manifest(parts: Mapping[str, bytes], keys: KeySet, now: datetime) -> Manifest:
    text = parts.get(MANIFEST)
    await believed(text, parts.get(SIGNATURE, b""), keys, now)
    try:
        return Manifest.model_validate_json(text or b"")
    except ValidationError as broken:
        raise BundleUnknown from broken


def _astray(parts: Mapping[str, bytes], manifest: Manifest, reader: Reader) -> Iterator[str]:
    files, known = manifest.files, {noun.file for noun in reader.nouns}
    yield from (f"{name} is not in the manifest" for name in parts.keys() - files.keys() - {MANIFEST, SIGNATURE})
    if reader.service in manifest.services:
        yield from (f"{noun.file} is missing" for noun in reader.required if noun.file not in files)
    yield from (f"{name} is of no kind that is known" for name in files if name not in known and not _anothers(name, manifest, reader))
    for name, said in files.items():
        if name not in parts:
            yield f"{name} is missing"
        elif hashlib.sha256(parts[name]).hexdigest() != said.sha256:
            yield f"{name} was changed"
        elif parts[name].count(b"\n") != said.rows:
            yield f"{name} has not {said.rows} rows"


def _anothers(name: str, manifest: Manifest, reader: Reader) -> bool:
    """Whether a file is for another service to read."""
    folder, slash, _ = name.partition("/")
    owner = folder if slash else "customers"
    return owner != reader.service and owner in manifest.services


def _read(noun: Noun, text: bytes, problems: list[str]) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield noun.row.model_validate_json(line)
        except ValidationError as wrong:
            places = sorted({"/".join(map(str, one["loc"])) for one in wrong.errors(include_input=False)})
            problems.append(f"{noun.file}, line {number}: {', '.join(places)}")


def _invalid(problems: list[str]) -> BundleInvalid:
    return BundleInvalid("; ".join(sorted(problems)), problems=[*sorted(problems)])
