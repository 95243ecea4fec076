"""Records broken in every way somebody thought of, and at random: what each must become, for the tests that send them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chassis.ids import new_id

type Headers = tuple[tuple[str, bytes | None], ...]
type Fate = Literal["parked", "applied", "skipped", "either"]
"""Where a record ends: parked, in its row, passed over as none of ours, or one of the first two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    key: bytes | None
    headers: Headers
    payload: bytes | None


type Mutation = Callable[[Sent, random.Random], Sent]


def _header(name: str, value: bytes | None) -> Mutation:
    return lambda sent, _: replace(sent, headers=tuple((key, value if key == name else old) for key, old in sent.headers))


def _without(name: str) -> Mutation:
    return lambda sent, _: replace(sent, headers=tuple(pair for pair in sent.headers if pair[0] != name))


def _twice(name: str) -> Mutation:
    return lambda sent, _: replace(sent, headers=(*sent.headers, *(pair for pair in sent.headers if pair[0] == name)))


def _payload(payload: bytes | None) -> Mutation:
    return lambda sent, _: replace(sent, payload=payload)


def _swap(old: bytes, new: bytes) -> Mutation:
    def mutate(sent: Sent, _: random.Random) -> Sent:
        assert sent.payload is not None
        assert old in sent.payload
        return replace(sent, payload=sent.payload.replace(old, new))

    return mutate


def _cut(sent: Sent, chance: random.Random) -> Sent:
    assert sent.payload is not None
    return replace(sent, payload=sent.payload[: chance.randrange(len(sent.payload))])


def _flip(sent: Sent, chance: random.Random) -> Sent:
    assert sent.payload is not None
    broken = bytearray(sent.payload)
    for _ in range(chance.randint(1, 4)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return replace(sent, payload=bytes(broken))


def _key(key: bytes | None) -> Mutation:
    return lambda sent, _: replace(sent, key=key)


def _foreign(name: str) -> Mutation:
    return _header(name, str(new_id()).encode())


_REQUIRED = (
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_dataschema", "ce_partnerid",
    "ce_aggregatetype", "ce_aggregateversion", "ce_effectivetime",
)  # fmt: skip
_IDS = ("ce_id", "ce_subject", "ce_partnerid")
_TIMES = ("ce_time", "ce_effectivetime")
_NO_TEXTS: Sequence[bytes | None] = (None, b"", b"\xff\xfe", b"a\x00b", b"\x1b[2J", b"\xed\xa0\x80")
_NO_IDS = (b"0", b"not-an-id", b"9" * 5000, b"zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz")
_NO_TIMES = (b"soon", b"2026-13-01T00:00:00Z", b"2026-01-05T09:00:00", b"0000-01-01T00:00:00Z", b"9999-12-31T23:59:59-23:59", b"1e400")
_NO_VERSIONS = (b"-1", b"9223372036854775808", b"1.0", b"1e3", b"NaN", "٣".encode(), b"9" * 400, b" 1")
_NO_BODIES = (
    b"",
    b"null",
    b"[]",
    b"0",
    b'"text"',
    b"{",
    b"{}",
    b"\xff\xfe\x00",
    b"[" * 2000 + b"]" * 2000,
    b"NaN",
    b'{"facts":[],"state":{}}',
)
_DEEP = b'{"a":' * 2000 + b"1" + b"}" * 2000

BROKEN: Sequence[Mutation] = (
    *(_without(name) for name in _REQUIRED),
    *(_twice(name) for name in _REQUIRED),
    *(_header(name, value) for name in _REQUIRED if name != "ce_type" for value in _NO_TEXTS),
    _header("ce_type", None),
    *(_header(name, value) for name in _IDS for value in _NO_IDS),
    *(_header(name, value) for name in _TIMES for value in _NO_TIMES),
    *(_header("ce_aggregateversion", value) for value in _NO_VERSIONS),
    _header("ce_source", b"s" * 9000),
    _header("ce_specversion", b"0.3"),
    _header("content-type", b"application/xml"),
    _header("ce_sandbox", b"maybe"),
    _foreign("ce_partnerid"),
    _foreign("ce_subject"),
    *(_payload(body) for body in _NO_BODIES),
    _payload(_DEEP),
    *(
        _swap(b'"name":"house"', new)
        for new in (b'"nome":"house"', b'"name":7', b'"name":null', b'"name":NaN', b'"name":9223372036854775808')
    ),
    *(_swap(b"house", new) for new in (b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"\x00", b"\xff", b'"', b"\n")),
    _swap(b'"id":"', b'"id":"x'),
    _swap(b'"state":{', b'"state":[{'),
    *(_key(key) for key in (None, b"", b"\xff", str(new_id()).encode())),
    _cut,
)
"""For a state record: none of these may ever write a row."""

ODD: Sequence[Mutation] = (
    _without("ce_dataregion"),
    _without("ce_sandbox"),
    _without("content-type"),
    _header("ce_aggregateversion", b"9223372036854775807"),
    _header("ce_time", b"0001-01-01T00:00:00Z"),
    _header("ce_effectivetime", b"9999-12-31T23:59:59Z"),
    lambda sent, _: replace(sent, headers=(*sent.headers, ("x-other", None), ("x-bad", b"\xff"))),
    _swap(b'"state":{', b'"more":{"of":[1,2.5,null]},"state":{"extra":1e400,'),
    _swap(b"house", "\U0001f3e0 ﷽ \u202e".encode()),
    _swap(b"house", b"h" * 200_000),
    _swap(b"{", b" \n {"),
)
"""Strange, but what a newer or a careless teller may say: these take effect."""

FOREIGN: Sequence[Mutation] = tuple(_header("ce_type", value) for value in (b"house.painted", b"\xff", b"house.changed.v2"))
"""Records of types that nobody here follows."""


def seeded(seed: int) -> random.Random:
    """Chance that can be had again."""
    return random.Random(seed)  # noqa: S311 (no secret hangs on it)


def any_mutation(chance: random.Random) -> tuple[Mutation, Fate]:
    """One of all, the kinds weighed so that each comes often."""
    fates: Sequence[tuple[Sequence[Mutation], Fate]] = ((BROKEN, "parked"), (ODD, "applied"), (FOREIGN, "skipped"), ((_flip,), "either"))
    mutations, fate = chance.choices(fates, (70, 10, 5, 15))[0]
    return chance.choice(mutations), fate
