"""SMTP: hands one message to the mail server, and says what its answer means.

A no for good (5xx) is told apart from everything that another try may mend: a no for now
(4xx), a server that is away, a login that it does not take.
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from chassis.failures import readable

_FOR_GOOD: Final = range(500, 600)
_GOODBYE: Final = 2.0
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The mail server. ``hostname`` is what we call ourselves; ``timeout`` is in seconds, for the whole hand-over."""

    host: str
    port: int
    hostname: str
    timeout: float = 20.0
    starttls: bool = False
    tls: bool = False
    username: str | None = None
    password: str | None = None


class NotTaken(Exception):
    """The server did not take the message. ``code`` (``550 5.1.1``) names nobody; ``says`` is the server's own text."""

    def __init__(self, code: str, says: str) -> None:
        self.code = code
        self.says = readable(says)
        super().__init__(f"{code}: {self.says}")


class Refused(NotTaken):
    """For good: another try would be answered in the same way."""


class Deferred(NotTaken):
    """For now: this message may be tried again later."""


class Unavailable(NotTaken):
    """The server is away, or does not let us in; any message may be tried again."""


async def hand_over(server: Server, message: EmailMessage) -> None:
    """Give the message to the server; returning means that the server has taken it.

    Raises:
        Refused, Deferred, Unavailable: it has not, or nobody knows.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.hostname,
        timeout=server.timeout,
        start_tls=server.starttls,
        use_tls=server.tls,
        username=server.username,
        password=server.password,
    )
    try:
        async with asyncio.timeout(server.timeout):
            await client.connect()
            await client.send_message(message)
    except SMTPAuthenticationError as stranger:
        raise Unavailable("login refused", str(stranger)) from stranger
    except SMTPRecipientsRefused as refused:
        raise _answered(refused.recipients[0].code, refused.recipients[0].message) from refused
    except SMTPResponseException as answer:
        raise _answered(answer.code, answer.message) from answer
    except ValueError as unsendable:
        raise Deferred("unsendable", repr(unsendable)) from unsendable
    except (SMTPException, OSError) as away:
        raise Unavailable("unreachable", repr(away)) from away
    finally:
        await _leave(client)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye, if the server listens: what it has taken it has taken."""
    with suppress(SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE):
            await client.quit()
    client.close()


def _answered(code: int, says: str) -> NotTaken:
    status = _STATUS.search(says)
    named = f"{code} {status[1]}" if status else str(code)
    if code in _FOR_GOOD:
        return Refused(named, says)
    return Unavailable(named, says) if code == aiosmtplib.SMTPStatus.domain_unavailable else Deferred(named, says)
