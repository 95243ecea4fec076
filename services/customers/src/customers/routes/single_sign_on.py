"""Single sign-on over HTTP: connections of a partner, and signing in by them."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from annotated_types import Len
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing
from chassis.http.text import Text
from customers import sessions
from customers.routes.own import STAFF, device, tenant, tools
from customers.rules.letting_in import SignedIn
from customers.sessions import ChallengeView, TokensView
from customers.single_sign_on import connections, proof_list, proofs, signing_in
from customers.single_sign_on.connections import ClosePasswords, Connect, Disconnect, SsoConnectionView, VerifyDomain
from customers.single_sign_on.proof_list import DomainProofView
from customers.single_sign_on.proofs import AskProof, Conclude
from customers.single_sign_on.signing_in import BegunView, Returned

router: Final = APIRouter(prefix="/v1", tags=["single-sign-on"])

type Url = Annotated[str, Text(500), Field(pattern="^https?://[^/?#@]+")]
type Domain = Annotated[str, Text(253), Field(pattern="^[a-z0-9-]+(\\.[a-z0-9-]+)+$")]
type Secret = Annotated[str, Field(min_length=1, max_length=1000, json_schema_extra={"format": "password"})]
type Opaque = Annotated[str, Field(min_length=1, max_length=4000)]

_MANAGERS: Final = allow(Permission.ROLES_MANAGE, kinds=STAFF)
_OPERATORS: Final = allow(kinds=frozenset({"operator"}))
_NO_STORE: Final = {"cache-control": "no-store"}


class NewConnection(Body):
    """`redirect_uri` is the page that finishes the sign-in; `new_users` are the roles of users that a first sign-in makes."""

    issuer: Url
    client_id: Annotated[str, Text(200)]
    client_secret: Secret
    redirect_uri: Url
    domains: Annotated[list[Domain], Len(1, 50)]
    new_users: Annotated[list[UUID], Len(max_length=20)] = Field(default_factory=list)


class ConfirmedDomain(Body):
    domain: Domain


class DomainToProve(Body):
    domain: Domain


class ClosedPasswords(Body):
    passwords_closed: bool


class Beginning(Body):
    email: Annotated[str, Field(min_length=3, max_length=254, json_schema_extra={"format": "email"})]


class Return(Body):
    """`state` and `code` as the provider sent them back, and `binding` as the beginning was answered."""

    state: Opaque
    code: Opaque
    binding: Opaque


@router.post("/sso-connections", status_code=201, response_model=SsoConnectionView)
async def connect(body: NewConnection, call: Annotated[Call, _MANAGERS]) -> Response:
    """Connect the partner's users to where they sign in (MKT-18). The client's secret is kept sealed and never said again."""
    said = body.model_dump(exclude={"domains", "new_users"})
    command = Connect(domains=tuple(body.domains), new_users=tuple(body.new_users), **said)
    async with call.change(tenant=tenant(call)) as tx:
        made = await connections.connect(tx, command, call.tools.sealer)
        return call.created(SsoConnectionView.of_entity(made), location=f"/v1/sso-connections/{made.id}", version=made.version)


@router.get("/sso-connections", response_model=Listing[SsoConnectionView])
async def list_connections(_: Annotated[Asked, Query()], call: Annotated[Call, _MANAGERS]) -> Response:
    async with call.read() as read:
        return call.answer(await connections.every(read))


@router.patch("/sso-connections/{connection_id}", response_model=SsoConnectionView)
async def close_passwords(connection_id: UUID, body: ClosedPasswords, call: Annotated[Call, _MANAGERS]) -> Response:
    """Close passwords for the users of the connection's domains, or open them again."""
    async with call.change(tenant=tenant(call)) as tx:
        command = ClosePasswords(connection_id=connection_id, seen=call.seen, closed=body.passwords_closed)
        changed = await connections.close_passwords(tx, command)
        return call.answer(SsoConnectionView.of_entity(changed), version=changed.version)


@router.post("/sso-connections/{connection_id}/verify", response_model=SsoConnectionView)
async def verify(connection_id: UUID, body: ConfirmedDomain, call: Annotated[Call, _OPERATORS]) -> Response:
    """Confirm that a domain is the partner's; the operator acts as the partner."""
    async with call.change(tenant=tenant(call)) as tx:
        command = VerifyDomain(connection_id=connection_id, seen=call.seen, domain=body.domain)
        changed = await connections.verify(tx, command)
        return call.answer(SsoConnectionView.of_entity(changed), version=changed.version)


@router.post("/sso-connections/{connection_id}/domain-proofs", status_code=201, response_model=DomainProofView)
async def ask_proof(connection_id: UUID, body: DomainToProve, call: Annotated[Call, _MANAGERS]) -> Response:
    """Say by which TXT record a domain of the connection is proven (MKT-18)."""
    async with call.change(tenant=tenant(call)) as tx:
        proof = await proofs.ask(tx, AskProof(connection_id=connection_id, domain=body.domain))
        return call.created(proof_list.shown(proof), location=f"/v1/sso-connections/{connection_id}/domain-proofs", version=proof.version)


@router.get("/sso-connections/{connection_id}/domain-proofs", response_model=Listing[DomainProofView])
async def list_proofs(connection_id: UUID, _: Annotated[Asked, Query()], call: Annotated[Call, _MANAGERS]) -> Response:
    async with call.read() as read:
        return call.answer(await proof_list.every(read, connection_id))


@router.post("/sso-connections/{connection_id}/domain-proofs/{proof_id}/verify", response_model=DomainProofView)
async def verify_proof(connection_id: UUID, proof_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """Look the record up, once and for five seconds at most. The answer says what was found: `state`, and in `problem` what is wrong."""
    async with call.read() as read:
        challenge = await proof_list.challenge(read, connection_id, proof_id)
    problem = await call.tools.records.wrong_with(challenge)
    async with call.change(tenant=tenant(call)) as tx:
        command = Conclude(connection_id=connection_id, proof_id=proof_id, seen=call.seen, problem=problem)
        proof = await proofs.conclude(tx, command)
        return call.answer(proof_list.shown(proof), version=proof.version)


@router.delete("/sso-connections/{connection_id}", status_code=204)
async def disconnect(connection_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """End a connection; its domains are free again."""
    async with call.change(tenant=tenant(call)) as tx:
        await connections.disconnect(tx, Disconnect(connection_id=connection_id, seen=call.seen))
        return call.answer(b"", status=204)


@router.post("/sso/begin", response_model=BegunView)
async def begin(body: Beginning, request: Request) -> Response:
    """Where somebody signs in whose company signs it in (MKT-18)."""
    rails, keyring = tools(request)
    view = await signing_in.begin(rails.database, keyring, rails.clock.now(), device(request), email=body.email)
    return Response(msgspec.json.encode(view), media_type="application/json", headers=_NO_STORE)


@router.post("/sso/finish", status_code=201, response_model=TokensView, responses={202: {"model": ChallengeView}})
async def finish(body: Return, request: Request) -> Response:
    """Finish a sign-in with what the provider sent back. Whoever has a second factor is answered 202, as with a password."""
    rails, keyring = tools(request)
    returned = Returned(state=body.state, code=body.code, binding=body.binding)
    outcome = await signing_in.finish(rails.database, keyring, rails.clock.now(), device(request), returned)
    signed_in = isinstance(outcome, SignedIn)
    view = sessions.shown(outcome) if isinstance(outcome, SignedIn) else sessions.asked(outcome)
    return Response(msgspec.json.encode(view), status_code=201 if signed_in else 202, media_type="application/json", headers=_NO_STORE)
