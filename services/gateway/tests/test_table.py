"""The route table knows every operation of every service, and nothing else; the longest template wins."""

import importlib
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from chassis.service import EVERYTHING, Process
from chassis.settings import ServiceSettings
from gateway.paths import Paths
from gateway.table import OWN, PATHS, PUBLIC

TOLD = {
    "customers_url": "http://127.0.0.1:1",
    "link_key": SecretStr("k" * 64),
    "sealing_keys": SecretStr("k" * 43 + "="),
    "mail_from": "Partnerdeck <no-reply@partnerdeck.example>",
    "public_url": "http://127.0.0.1:8080",
    "signing_key": SecretStr(OKPKey.generate_key("Ed25519").as_pem(private=True).decode()),
    "smtp_host": "127.0.0.1",
    "smtp_port": 25,
}


def document(service: str) -> dict[str, Any]:
    """The service's own OpenAPI document, made of its code."""
    settings: type[ServiceSettings] = importlib.import_module(f"{service}.settings").Settings
    known = {name: value for name, value in TOLD.items() if name in settings.model_fields and name != f"{service}_url"}
    made = settings(
        database_name=service, worker_password=SecretStr("x"), api_password=SecretStr("x"), kafka="127.0.0.1:9", http_port=1, **known
    )
    app = Process(importlib.import_module(f"{service}.app").service(made), EVERYTHING).app()
    return app.openapi()


@pytest.mark.parametrize("service", PATHS)
def test_the_table_has_every_path_of_a_service_and_no_other(service: str) -> None:
    assert sorted(document(service)["paths"]) == sorted(PATHS[service])


@pytest.mark.parametrize("service", PATHS)
def test_public_operations_exist(service: str) -> None:
    paths = document(service)["paths"]

    for method, path in PUBLIC:
        if path in PATHS[service]:
            assert method.lower() in paths[path]


PATHS_OF = Paths(PATHS, OWN)


@pytest.mark.parametrize(
    ("path", "template", "service"),
    [
        ("/v1/customers", "/v1/customers", "customers"),
        ("/v1/customers/7", "/v1/customers/{customer_id}", "customers"),
        ("/v1/customers/7/review/clear", "/v1/customers/{customer_id}/review/clear", "customers"),
        ("/v1/customers/7/entitlements", "/v1/customers/{customer_id}/entitlements", "licensing"),
        ("/v1/customers/7/profile", "/v1/customers/{customer_id}/profile", None),
        ("/v1/customer-overview/totals", "/v1/customer-overview/totals", "reporting"),
        ("/v1/customer-overview/7", "/v1/customer-overview/{customer_id}", "reporting"),
        ("/", "/", None),
    ],
)
def test_the_longest_template_wins(path: str, template: str, service: str | None) -> None:
    route = PATHS_OF.find(path)

    assert route is not None
    assert (route.path, route.service) == (template, service)


@pytest.mark.parametrize("path", ["", "/v1", "/v1/", "/v1/customers/", "/v1/customers/7/", "/v1/customers/7/other", "//", "/V1/customers"])
def test_what_matches_nothing_is_nothing(path: str) -> None:
    assert PATHS_OF.find(path) is None


def test_a_name_wins_over_a_placeholder_only_where_the_rest_matches_too() -> None:
    paths = Paths({"a": ("/x/{id}/end",), "b": ("/x/new",)}, ())

    found = paths.find("/x/new/end")
    assert found is not None
    assert found.service == "a"


def test_two_services_cannot_have_one_path() -> None:
    with pytest.raises(ValueError, match="take the same paths"):
        Paths({"a": ("/x/{id}",), "b": ("/x/{other_id}",)}, ())
