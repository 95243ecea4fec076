"""Composition of the customers service. The only place that builds anything."""

from pathlib import Path

from chassis.keys import KeySet, signing_key
from chassis.service import Service
from chassis.tokens import Issuer
from contracts.catalogue import states_of
from customers import drafts, due
from customers.bulk import deeds
from customers.bundles import bundling
from customers.consumers import consumers
from customers.identity import own_sessions
from customers.offboarding.deletion import DELETE
from customers.offboarding.moving import MOVE
from customers.offboarding.unlinking import UNLINK
from customers.routes import ROUTERS
from customers.rules import linking, throttling
from customers.rules.bundle_parts import Parts
from customers.rules.console_keys import Console
from customers.rules.keyring import Keyring
from customers.rules.openid import Providers
from customers.rules.outgoing import Outgoing
from customers.rules.passwords import Passwords
from customers.rules.policy_kinds import KINDS
from customers.rules.policy_trials import TRIALS
from customers.rules.sealing import Sealer
from customers.rules.telling import RETELLINGS
from customers.rules.text_records import TextRecords
from customers.sandboxes import ADVANCE
from customers.settings import Settings


def service(settings: Settings, passwords: Passwords | None = None) -> Service:
    key = signing_key(settings.signing_key.get_secret_value())
    issuer = Issuer(key)
    parts = Parts(issuer, settings.gateway_url)
    records = TextRecords(server=None if settings.dns_server is None else str(settings.dns_server), port=settings.dns_port)
    keyring = Keyring(
        issuer=issuer,
        parts=parts,
        link_key=settings.link_key.get_secret_value().encode(),
        passwords=passwords or Passwords(),
        sealer=Sealer(settings.keys_to_seal),
        console=_console(settings),
        providers=Providers(Outgoing(private=settings.private_providers)),
        records=records,
    )
    return Service(
        name="customers",
        settings=settings,
        migrations=Path(__file__).parent / "migrations",
        routers=ROUTERS,
        consumers=consumers(),
        states=states_of("customers"),
        due=due.kinds(records),
        jobs=[ADVANCE, UNLINK, MOVE, DELETE, bundling.kind(key, parts), *deeds.KINDS],
        policies=KINDS,
        trials=TRIALS,
        keys=KeySet([key]),
        tools=keyring,
        chores=(throttling.forget, linking.forget, own_sessions.forget, drafts.forget_drafts, bundling.forget),
        retellings=RETELLINGS,
    )


def _console(settings: Settings) -> Console | None:
    if settings.console_url is None or settings.console_key is None:
        return None
    return Console(url=str(settings.console_url), key=settings.console_key.get_secret_value())
