"""Signing up as a partner over HTTP, by whoever is not signed in."""

from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.http.answers import JSON
from chassis.http.bodies import Body
from chassis.http.text import CountryCode, EmailAddress, LanguageTag, Name, Text, TimeZoneName
from customers import sign_ups
from customers.routes.addresses import NewAddress
from customers.routes.bodies import Phone
from customers.routes.own import device, tools
from customers.rules.keyring import Keyring
from customers.rules.proof_of_work import LONGEST, Challenges
from customers.sign_ups import SignUp, SignUpChallengeView

router: Final = APIRouter(prefix="/v1/sign-ups", tags=["sign-ups"])


class SigningUp(Body):
    """Gets Partner Administrator, and signs in by `email` once it has set a password by the mailed link."""

    name: Name
    email: EmailAddress
    phone: Phone | None = None


class AcceptedTerms(Body):
    version: Annotated[str, Text(50)]
    accepted: Literal[True]


class NewSignUp(Body):
    """`proof` is what ALTCHA's widget makes of the challenge; it is good once."""

    company_name: Name
    country: CountryCode
    address: NewAddress
    contact: SigningUp
    language: LanguageTag = "en"
    time_zone: TimeZoneName = "UTC"
    terms: AcceptedTerms
    proof: Annotated[str, Field(min_length=1, max_length=LONGEST)]

    def command(self) -> SignUp:
        return SignUp(
            company_name=self.company_name,
            country=self.country,
            address=self.address.model_dump(),
            contact_name=self.contact.name,
            email=self.contact.email,
            phone=self.contact.phone,
            language=self.language,
            time_zone=self.time_zone,
            terms_version=self.terms.version,
        )


@router.get("/challenge", response_model=SignUpChallengeView)
async def challenge(request: Request) -> Response:
    """The terms to accept, and a challenge to solve (GW-12)."""
    rails, keyring = tools(request)
    view = await sign_ups.challenge(rails.database, _challenges(keyring), rails.clock.now())
    return Response(msgspec.json.encode(view), media_type=JSON, headers={"cache-control": "no-store"})


@router.post("", status_code=202)
async def sign_up(body: NewSignUp, request: Request) -> Response:
    """Ask to become a partner; a link to set the password is mailed. The answer is the same whether the address is free or not (CUS-71)."""
    rails, keyring = tools(request)
    now, address = rails.clock.now(), device(request).address
    await sign_ups.ask(rails.database, _challenges(keyring), now, body.command(), proof=body.proof, address=address)
    return Response(status_code=202)


def _challenges(keyring: Keyring) -> Challenges:
    return Challenges(keyring.link_key, sign_ups.PURPOSE)
