"""The environment every process is given: where the others are, and the secrets it needs, no more."""

import os

from onebox.home import Home
from onebox.postgres import SERVICES

OPERATOR = "operator@partnerdeck.example"
_TRACES = ("PARTNERDECK_TRACES_URL", "PARTNERDECK_TRACES_SHARE")
"""A collector is not ours to start: who has one says where."""
_OWN = ("CUSTOMERS_", "LICENSING_", "REPORTING_", "NOTIFICATIONS_", "GATEWAY_", "SIMULATOR_", "PARTNERDECK_")


def serving(service: str, home: Home) -> dict[str, str]:
    """For ``python -m SERVICE serve``."""
    if service == "gateway":
        return _everybodys() | _gateway(home)
    special = {"customers": _customers, "notifications": _notifications}.get(service)
    return _everybodys() | _a_service(service, home) | (special(home) if special else {})


def owning(service: str, home: Home) -> dict[str, str]:
    """For what changes a service's tables or fills them first: its migrations and its one-off commands."""
    return serving(service, home) | {f"{service.upper()}_OWNER_PASSWORD": home.secrets().login_passwords[f"{service}_owner"]}


def bootstrapping(home: Home) -> dict[str, str]:
    """For making the root party and the first operator."""
    return owning("customers", home) | {"CUSTOMERS_BOOTSTRAP_PASSWORD": home.secrets().operator_password}


def billing(home: Home) -> dict[str, str]:
    """For the sample billing consumer."""
    return _everybodys() | {
        "SIMULATOR_DATABASE_HOST": "127.0.0.1",
        "SIMULATOR_DATABASE_PORT": str(home.ports()["postgres"]),
        "SIMULATOR_DATABASE_NAME": "billing",
        "SIMULATOR_DATABASE_PASSWORD": home.secrets().login_passwords["billing"],
        "SIMULATOR_KAFKA": home.kafka(),
    }


def product(home: Home) -> dict[str, str]:
    """For the sample product."""
    return _everybodys() | {"SIMULATOR_KAFKA": home.kafka()}


def console(home: Home) -> dict[str, str]:
    """For the sample product console."""
    return _everybodys() | {
        "SIMULATOR_CONSOLE_HOST": "127.0.0.1",
        "SIMULATOR_CONSOLE_PORT": str(home.ports()["console"]),
        "SIMULATOR_CONSOLE_KEY": home.secrets().console_key,
        "SIMULATOR_PARTNERDECK_URL": home.gateway(),
    }


def url(service: str, home: Home) -> str:
    return f"http://127.0.0.1:{home.ports()[service]}"


def _everybodys() -> dict[str, str]:
    """What is inherited, without what another installation may have left in it."""
    inherited = {name: value for name, value in os.environ.items() if name in _TRACES or not name.startswith(_OWN)}
    return inherited | {"PARTNERDECK_TOPIC_PREFIX": "", "PARTNERDECK_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


def _a_service(service: str, home: Home) -> dict[str, str]:
    passwords = home.secrets().login_passwords
    values = {
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(home.ports()["postgres"]),
        "DATABASE_NAME": service,
        "WORKER_PASSWORD": passwords[f"{service}_worker"],
        "API_PASSWORD": passwords[f"{service}_api"],
        "KAFKA": home.kafka(),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(home.ports()[service]),
    }
    if service != "customers":
        values |= {"KEYS_URL": _keys_url(home), "CUSTOMERS_URL": url("customers", home)}
    return {f"{service.upper()}_{name}": value for name, value in values.items()}


def _customers(home: Home) -> dict[str, str]:
    secrets = home.secrets()
    return {
        "CUSTOMERS_SIGNING_KEY": secrets.signing_key,
        "CUSTOMERS_LINK_KEY": secrets.link_key,
        "CUSTOMERS_SEALING_KEYS": secrets.sealing_keys,
        "CUSTOMERS_GATEWAY_URL": home.gateway(),
        "CUSTOMERS_CONSOLE_URL": url("console", home),
        "CUSTOMERS_CONSOLE_KEY": secrets.console_key,
    }


def _notifications(home: Home) -> dict[str, str]:
    return {
        "NOTIFICATIONS_LINK_KEY": home.secrets().link_key,
        "NOTIFICATIONS_SMTP_HOST": "127.0.0.1",
        "NOTIFICATIONS_SMTP_PORT": str(home.ports()["mail"]),
        "NOTIFICATIONS_MAIL_FROM": "Partnerdeck <no-reply@partnerdeck.example>",
        "NOTIFICATIONS_PUBLIC_URL": home.gateway(),
    }


def _gateway(home: Home) -> dict[str, str]:
    return {
        "GATEWAY_HTTP_HOST": "127.0.0.1",
        "GATEWAY_HTTP_PORT": str(home.ports()["gateway"]),
        "GATEWAY_KEYS_URL": _keys_url(home),
        **{f"GATEWAY_{service.upper()}_URL": url(service, home) for service in SERVICES},
    }


def _keys_url(home: Home) -> str:
    return f"{url('customers', home)}/.well-known/jwks.json"
