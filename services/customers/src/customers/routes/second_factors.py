"""Second factors over HTTP: one's own, another's who has lost it, and whether a partner requires them. No secret is kept under a key."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from contracts.customers.partners import SecondFactorRule
from customers import users
from customers.identity import second_factors, sign_in_rules
from customers.identity.second_factors import Confirm, Enrol, EnrolmentView, GiveUp, RecoveryView, StandingView
from customers.identity.sign_in_rules import SetSignInRules, SignInRulesView
from customers.routes.own import EVERYBODY, ONESELF, STAFF, tenant, tools
from customers.routes.sessions import Code, Password
from customers.rules import proving
from customers.rules.proving import Shown

router: Final = APIRouter(tags=["second-factors"])

ENROLLING: Final = allow(kinds=EVERYBODY, enrolling=True, own=True)
MANAGERS: Final = allow(Permission.USERS_MANAGE, kinds=STAFF)
RULERS: Final = allow(Permission.PARTNER_MANAGE, kinds=STAFF)


class OwnPassword(Body):
    password: Password


class PasswordIfAny(Body):
    """``password`` is one's own; left out by who signs in elsewhere and has none."""

    password: Password | None = None


class FirstCode(Body):
    code: Code


class SignInRules(Body):
    second_factor: SecondFactorRule
    second_factor_below: SecondFactorRule


@router.get("/v1/me/second-factor", response_model=StandingView)
async def standing(call: Annotated[Call, ENROLLING]) -> Response:
    """Whether one has a second factor, and must have one."""
    async with call.read() as read:
        return call.answer(await second_factors.standing(read))


@router.post("/v1/me/second-factor", status_code=201, response_model=EnrolmentView)
async def enrol(body: PasswordIfAny, request: Request, call: Annotated[Call, ENROLLING]) -> Response:
    """Make a secret for an authenticator. It is said here and never again, and opens nothing before its first code confirms it."""
    rails, keyring = tools(request)
    shown = Shown(password=body.password or "", unless_none=True)
    await proving.prove(rails.database, keyring, call.principal, shown, rails.clock.now())
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        return _secret(call, await second_factors.enrol(tx, keyring, Enrol(user_id=call.principal.user_id)), status=201)


@router.post("/v1/me/second-factor/confirm", response_model=RecoveryView)
async def confirm(body: FirstCode, call: Annotated[Call, ENROLLING]) -> Response:
    """Take the second factor into use. Other sessions are over, and this one goes on once it exchanges its refresh token."""
    command = Confirm(user_id=call.principal.user_id, session_id=call.principal.session_id, code=body.code)
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        return _secret(call, await second_factors.confirm(tx, call.tools, command))


@router.post("/v1/me/second-factor/recovery-codes", response_model=RecoveryView)
async def renew_recovery(body: OwnPassword, request: Request, call: Annotated[Call, ONESELF]) -> Response:
    """Make ten new recovery codes; the old ones are worth nothing any more."""
    rails, keyring = tools(request)
    await proving.prove(rails.database, keyring, call.principal, Shown(password=body.password), rails.clock.now())
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        return _secret(call, await second_factors.renew_recovery(tx, call.principal.user_id))


@router.post("/v1/me/second-factor/disable", status_code=204)
async def give_up(body: OwnPassword, request: Request, call: Annotated[Call, ONESELF]) -> Response:
    """Sign in by the password alone again, where nobody requires more."""
    rails, keyring = tools(request)
    await proving.prove(rails.database, keyring, call.principal, Shown(password=body.password), rails.clock.now())
    who = call.principal
    command = GiveUp(user_id=who.user_id, session_id=who.session_id, password_length=len(body.password))
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        await second_factors.give_up(tx, command)
        return call.answer(b"", status=204)


@router.post("/v1/users/{user_id}/second-factor/reset", status_code=204)
async def take_away(user_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """Take away the second factor of a user who has lost it; not one's own."""
    async with call.change(tenant=tenant(call)) as tx:
        await second_factors.take_away(tx, await users.held_other(tx, user_id, call.seen))
        return call.answer(b"", status=204)


@router.get("/v1/sign-in-rules", response_model=SignInRulesView)
async def rules(call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """What the partner requires of its users, and of those below it."""
    async with call.read() as read:
        found, version = await sign_in_rules.rules(read)
        return call.answer(found, version=version)


@router.put("/v1/sign-in-rules", response_model=SignInRulesView)
async def set_rules(body: SignInRules, call: Annotated[Call, RULERS]) -> Response:
    """Require a second factor, or no more. Who has none can do nothing but enrol one, in every service within five seconds."""
    async with call.change(tenant=tenant(call)) as tx:
        command = SetSignInRules(seen=call.seen, second_factor=body.second_factor, second_factor_below=body.second_factor_below)
        partner = await sign_in_rules.put(tx, command)
        return call.answer(SignInRulesView.of_entity(partner), version=partner.version)


def _secret(call: Call, view: EnrolmentView | RecoveryView, *, status: int = 200) -> Response:
    answer = call.answer(msgspec.json.encode(view), status=status)
    answer.headers["cache-control"] = "no-store"
    return answer
