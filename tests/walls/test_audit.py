"""No operation changes anything past the audit (GW-11).

What is changed through ``call.change`` is audited by the rails. This holds every operation of every
service to it, by the services' own route tables; which of them leave an entry is proved by the tests that
ask for them (``chassis_testing.audit``).
"""

import inspect
from importlib import import_module

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from chassis.service import EVERYTHING, Process
from chassis.settings import ServiceSettings

SERVICES = ("customers", "licensing", "reporting", "notifications")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

OTHERWISE = {
    "api-keys_exchange": "audited before its answer: test_api_keys",
    "api-keys_create": "through call.change, but kept under no key: its answer holds a secret",
    "api-keys_rotate": "through call.change, but kept under no key: its answer holds a secret",
    "sessions_sign_in": "audited before its answer: test_sessions",
    "sessions_refresh": "goes on with a session; a stolen token is audited: test_sessions",
    "sessions_end": "audited before its answer: test_sessions",
    "email-changes_ask": "through call.change, but kept under no key: its body holds a password",
    "email-changes_confirm": "a change in the name of the link's holder: test_email_changes",
    "email-changes_undo": "a change in the name of the link's holder: test_email_changes",
    "second-factors_confirm": "through call.change, but kept under no key: its answer holds recovery codes",
    "second-factors_enrol": "through call.change, but kept under no key: its answer holds a secret",
    "second-factors_give_up": "through call.change, but kept under no key: its body holds a password",
    "second-factors_renew_recovery": "through call.change, but kept under no key: its answer holds recovery codes",
    "sessions_second_step": "audited before its answer: test_second_factors",
    "sessions_reset_password": "changes nothing; a link is given as due work: test_resets",
    "sessions_set_password": "a change in the name of the link's holder: test_sessions",
    "sessions_change_password": "through call.change, but kept under no key: its body holds passwords",
    "drafts_check": "a look at what would be refused changes nothing",
    "policies_try_out": "a trial changes nothing: test_policy_trials",
    "off-boarding_preview_deletion": "a preview changes nothing",
    "off-boarding_preview_disabling": "a preview changes nothing",
    "off-boarding_preview_unlinking": "a preview changes nothing",
    **dict.fromkeys(
        (f"bulk_{verb}" for verb in ("tag", "untag", "set_communications", "disable", "enable", "unlink", "delete")),
        "through call.change, and each item in the name of who asked: test_bulk",
    ),
    "exports_export_selected": "changes nothing; audited before its first byte: test_exports",
    "off-boarding_preview_moving": "a preview changes nothing",
    "partners_preview_disabling": "a preview changes nothing",
    "consoles_launch": "through call.change, but kept under no key: its answer holds a code",
    "consoles_exchange": "a change in the name of who launched: test_consoles",
    "consoles_introspect": "a look, in the name of who launched, that ends what is over: test_consoles",
    "consoles_leave": "a change in the name of who launched: test_consoles",
    "answers_confirm": "a change in the name of the link's holder: test_management",
    "answers_decline": "a change in the name of the link's holder: test_management",
    "single-sign-on_begin": "changes nothing but what this sign-in alone knows: test_single_sign_on",
    "single-sign-on_finish": "audited before its answer: test_single_sign_on",
    "sign-ups_sign_up": "changes nothing; a partner is made as due work: test_sign_ups",
    "subscriptions_preview_conversion": "a preview changes nothing",
}
"""Operations that nobody is signed in to yet, and those that change nothing."""

TOLD = {
    "link_key": SecretStr("k" * 64),
    "sealing_keys": SecretStr("k" * 43 + "="),
    "mail_from": "Partnerdeck <no-reply@partnerdeck.example>",
    "public_url": "http://127.0.0.1:8080",
    "customers_url": "http://127.0.0.1:8081",
    "signing_key": SecretStr(OKPKey.generate_key("Ed25519").as_pem(private=True).decode()),
    "smtp_host": "127.0.0.1",
    "smtp_port": 25,
}


def changing(service: str) -> dict[str, str]:
    """The operations of a service that may change something, by id, with their code."""
    settings: type[ServiceSettings] = import_module(f"{service}.settings").Settings
    known = {name: value for name, value in TOLD.items() if name in settings.model_fields}
    made = settings(
        database_name=service, worker_password=SecretStr("x"), api_password=SecretStr("x"), kafka="127.0.0.1:9", http_port=1, **known
    )
    app = Process(import_module(f"{service}.app").service(made), EVERYTHING).app()
    return {
        str(context.operation_id or context.unique_id): inspect.getsource(context.original_route.endpoint)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and context.original_route.methods - SAFE
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_that_changes_something_does_so_through_what_is_audited(service: str) -> None:
    past = {name for name, code in changing(service).items() if "call.change(" not in code or "keyed=False" in code}

    assert past - OTHERWISE.keys() == set()


def test_no_exception_outlives_its_reason() -> None:
    assert OTHERWISE.keys() <= {name for service in SERVICES for name in changing(service)}
