"""Composition of notifications: settings in, service out."""

from pathlib import Path

from chassis.service import Service
from contracts.catalogue import states_of
from notifications import consumers, due, routes
from notifications.bundles import PORTABLE
from notifications.channels.smtp import Server
from notifications.deliveries import Desk
from notifications.rules import messages
from notifications.rules.links import Links
from notifications.settings import Settings


def service(settings: Settings) -> Service:
    return Service(
        name="notifications",
        settings=settings,
        migrations=Path(__file__).parent / "migrations",
        follows={"customer": ("customers",)},
        routers=[routes.router],
        consumers=consumers.consumers(),
        states=states_of("notifications"),
        due=due.kinds(desk(settings)),
        portable=PORTABLE,
    )


def desk(settings: Settings) -> Desk:
    """From where mails are sent."""
    server = Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        hostname=settings.smtp_hostname or messages.domain(settings.mail_from),
        timeout=settings.smtp_timeout,
        starttls=settings.smtp_starttls,
        tls=settings.smtp_tls,
        username=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
    )
    return Desk(
        server=server,
        mail_from=settings.mail_from,
        links=Links(public_url=settings.public_url.rstrip("/"), key=settings.link_key.get_secret_value().encode()),
    )
