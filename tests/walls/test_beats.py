"""Every service beats for every topic that it tells states to, and hears beats wherever it follows who may do what."""

from importlib import import_module
from pathlib import Path

import pytest

from chassis.environment import load
from chassis.service import Service
from contracts import beats
from contracts.catalogue import states, states_of
from onebox import environment
from onebox.home import Home
from onebox.postgres import SERVICES


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """One service, composed as a fresh installation would."""
    home = Home(tmp_path, gateway_port=0)
    home.prepare()
    home.choose_ports()
    for name, value in environment.serving(request.param, home).items():
        monkeypatch.setenv(name, value)
    settings = load(import_module(f"{request.param}.settings").Settings)
    made: Service = import_module(f"{request.param}.app").service(settings)
    return made


def test_what_a_service_tells_states_to_gets_beats(service: Service) -> None:
    assert list(service.states) == states_of(service.name)


def test_whoever_follows_rights_hears_how_old_they_are_and_can_ask(service: Service) -> None:
    access = [one for one in service.consumers if one.group == f"{service.name}.access"]

    assert [one.hears_beats for one in access] == ([] if service.name == "customers" else [True])
    assert (service.settings.customers_url is None) == (service.name == "customers")
    assert all(set(one.topics()) >= beats.ACCESS for one in access)


def test_every_state_is_some_services() -> None:
    assert sorted(topic for service in SERVICES for topic in states_of(service)) == sorted(state.topic for state in states())
