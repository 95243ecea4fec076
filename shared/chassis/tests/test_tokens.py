"""Only what customers signed for us, lately and unchanged, says who is asking."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from chassis.ids import new_id
from chassis.keys import KeySet, KeysUnavailable, published, signing_key
from chassis.principal import Principal
from chassis.tokens import Issuer, TokenExpired, TokenInvalid, TokenMissing, Verifier, bearer

NOW = datetime(2026, 1, 5, 9, 0, 0, 500_000, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519")
KEY.ensure_kid()


def a_principal() -> Principal:
    return Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=3, session_id=new_id())


def a_token(key: Any = KEY, alg: str = "Ed25519", claims: dict[str, Any] | None = None, **header: Any) -> str:
    good = {
        "iss": "partnerdeck",
        "aud": "partnerdeck",
        "sub": str(new_id()),
        "partner": str(new_id()),
        "kind": "partner",
        "gen": 1,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
    }
    merged = {name: value for name, value in (good | (claims or {})).items() if value is not None}
    return jwt.encode({"alg": alg, "typ": "at+jwt", "kid": KEY.kid} | header, merged, key, algorithms=[alg])


def verifier(**options: Any) -> Verifier:
    return Verifier(KeySet([KEY]), **options)


async def test_a_token_says_who_it_was_issued_to() -> None:
    partner, customer = a_principal(), Principal(kind="customer", user_id=new_id(), partner_id=new_id(), gen=1, customer_id=new_id())

    for principal in (partner, customer):
        token, expires_at = Issuer(KEY).issue(principal, NOW)
        assert await verifier().verify(token, NOW) == principal
        assert expires_at == datetime(2026, 1, 5, 9, 5, tzinfo=UTC)


async def test_a_token_says_nothing_else() -> None:
    token, _ = Issuer(KEY).issue(a_principal(), NOW)

    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    assert set(claims) == {"iss", "aud", "sub", "partner", "kind", "gen", "sid", "iat", "exp"}


def unsigned() -> str:
    _, payload, _ = a_token().split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt", "kid": KEY.kid}).encode()).rstrip(b"=").decode()
    return f"{none}.{payload}."


def signed_with_the_public_key() -> str:
    _, payload, _ = a_token().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": KEY.kid}).encode()).rstrip(b"=").decode()
    secret = KEY.as_pem(private=False)
    mac = hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    return f"{header}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def tampered() -> str:
    head, payload, signature = a_token().split(".")
    other = a_token(claims={"kind": "operator"}).split(".")[1]
    assert other != payload
    return f"{head}.{other}.{signature}"


FORGED: dict[str, str] = {
    "unsigned": unsigned(),
    "HS256 with the public key": signed_with_the_public_key(),
    "HS256": a_token(OctKey.generate_key(256), "HS256"),
    "RS256": a_token(RSAKey.generate_key(2048), "RS256"),
    "another's key": a_token(OKPKey.generate_key("Ed25519")),
    "tampered": tampered(),
    "cut": a_token()[:-4],
    "another type": a_token(typ="JWT"),
    "no type": a_token(typ=""),
    "unknown key": a_token(kid="other"),
    "another audience": a_token(claims={"aud": "elsewhere"}),
    "many audiences": a_token(claims={"aud": ["partnerdeck"]}),
    "another issuer": a_token(claims={"iss": "elsewhere"}),
    "no expiry": a_token(claims={"exp": None}),
    "lives too long": a_token(claims={"exp": int(NOW.timestamp()) + 3600}),
    "from the future": a_token(claims={"iat": int(NOW.timestamp()) + 60, "exp": int(NOW.timestamp()) + 300}),
    "absurd times": a_token(claims={"iat": 10**18, "exp": 10**18}),
    "no partner": a_token(claims={"partner": None}),
    "bad user": a_token(claims={"sub": "ada"}),
    "unknown kind": a_token(claims={"kind": "root"}),
    "gen of text": a_token(claims={"gen": "1"}),
    "no token": "abc",
    "empty": "",
    "umlaut": "ä.ö.ü",
    "long": "a" * 5000,
    "bad header": "e30.e30.e30",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_token_is_worth_nothing(token: str) -> None:
    with pytest.raises(TokenInvalid):
        await verifier().verify(token, NOW)


async def test_a_token_expires_also_where_it_is_remembered() -> None:
    token = a_token()
    strict, lenient = verifier(leeway=timedelta()), verifier()
    await strict.verify(token, NOW)
    await lenient.verify(token, NOW)

    for seconds in (60, 299):
        await strict.verify(token, NOW.replace(microsecond=0) + timedelta(seconds=seconds))
    with pytest.raises(TokenExpired):
        await strict.verify(token, NOW.replace(microsecond=0) + timedelta(seconds=300))
    await lenient.verify(token, NOW.replace(microsecond=0) + timedelta(seconds=304))
    with pytest.raises(TokenExpired):
        await lenient.verify(token, NOW.replace(microsecond=0) + timedelta(seconds=305))


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.tokens.MOST_REMEMBERED", 3)
    checking = verifier()
    for _ in range(10):
        await checking.verify(a_token(), NOW)

    assert len(checking._known) == 3


def test_leeway_is_at_most_five_seconds() -> None:
    with pytest.raises(ValueError, match="0 to 5"):
        verifier(leeway=timedelta(seconds=6))


class Customers:
    """An issuer whose keys can be turned, and which can be down."""

    def __init__(self, *keys: OKPKey) -> None:
        self.keys = keys
        self.up = True
        self.asked = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200, json=published(self.keys)) if self.up else httpx.Response(503)

    def key_set(self) -> KeySet:
        return KeySet(url="http://customers/.well-known/jwks.json", transport=httpx.MockTransport(self))


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_a_turned_key_is_fetched_when_the_first_token_names_it() -> None:
    new = OKPKey.generate_key("Ed25519")
    customers = Customers(KEY)
    checking = Verifier(customers.key_set())
    await checking.verify(a_token(), NOW)
    customers.keys = (KEY, new)

    principal = a_principal()
    token, _ = Issuer(new).issue(principal, later(6))

    assert await checking.verify(token, later(6)) == principal
    assert customers.asked == 2


async def test_unknown_keys_are_looked_for_once_in_five_seconds() -> None:
    customers = Customers(KEY)
    checking = Verifier(customers.key_set())
    for number in range(20):
        with pytest.raises(TokenInvalid if number == 0 else (TokenInvalid, KeysUnavailable)):
            await checking.verify(a_token(kid=f"k{number}"), later(number * 0.4))

    assert customers.asked == 2


async def test_known_keys_go_on_while_customers_is_down() -> None:
    customers = Customers(KEY)
    checking = Verifier(customers.key_set())
    await checking.verify(a_token(), NOW)
    customers.up = False

    with pytest.raises(KeysUnavailable):
        await checking.verify(a_token(kid="new"), later(10))

    await checking.verify(a_token(), later(20))
    await checking.verify(a_token(claims={"iat": int(later(400).timestamp()), "exp": int(later(500).timestamp())}), later(400))


async def test_a_key_that_was_withdrawn_is_forgotten_within_minutes() -> None:
    customers = Customers(KEY)
    checking = Verifier(customers.key_set())
    await checking.verify(a_token(), NOW)
    customers.keys = ()

    with pytest.raises(TokenInvalid):
        await checking.verify(a_token(claims={"iat": int(later(301).timestamp()), "exp": int(later(500).timestamp())}), later(301))


async def test_nobody_is_called_a_liar_while_no_key_is_known() -> None:
    customers = Customers(KEY)
    customers.up = False
    checking = Verifier(customers.key_set())

    for seconds in (0, 1):
        with pytest.raises(KeysUnavailable):
            await checking.verify(a_token(), later(seconds))

    assert customers.asked == 1


def test_what_is_published_is_public() -> None:
    (key,) = published([KEY])["keys"]

    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_signing_key_comes_as_pem_or_jwk() -> None:
    assert signing_key(KEY.as_pem(private=True).decode()).thumbprint() == KEY.thumbprint()
    assert signing_key(json.dumps(KEY.as_dict(private=True))).thumbprint() == KEY.thumbprint()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "x",
        "-----BEGIN",
        json.dumps(KEY.as_dict(private=False)),
        json.dumps(OKPKey.generate_key("X25519").as_dict(private=True)),
        "[]",
    ],
)
def test_anything_else_is_no_signing_key(text: str) -> None:
    with pytest.raises(ValueError, match="signing key"):
        signing_key(text)


def test_a_bearer_token_stands_in_the_authorization_header() -> None:
    assert bearer("Bearer abc") == "abc"
    assert bearer("bearer  abc ") == "abc"
    for wrong in (None, "", "Basic abc", "Bearer", "Bearer  "):
        with pytest.raises(TokenMissing):
            bearer(wrong)
