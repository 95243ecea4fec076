"""Messages: a letter with its headers, as it goes over the wire (RFC 5322).

``Message-ID`` follows from the mail's id and the sender's domain, and ``Date`` from when the mail
was written, so a mail that is sent twice is the same message twice. A sandbox partner's mails are
sent like any other, and say in subject and header that they are play; their ``Date`` is real time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any, Final
from uuid import UUID

from notifications.rules.headers import HeaderRefused, clean, mailbox
from notifications.rules.letters import Letter

_EMPTY_FIRST_LINE: Final = re.compile(rb"^([^:\s]+:) *\r\n ")


class _Begun(EmailPolicy):
    """Begins what a header says on the line of its name: some readers take an empty first line for an empty header."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return _EMPTY_FIRST_LINE.sub(rb"\1 ", super().fold_binary(name, value))


SANDBOX_MARK: Final = "[Sandbox]"
SANDBOX_HEADER: Final = "Partnerdeck-Sandbox"
_POLICY: Final = _Begun(linesep=SMTP.linesep)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """``reply_to`` is where the reader's answer goes: the partner's support, where it has said one."""

    sender: str
    to: Address
    reply_to: Address | None = None


def message_id(mail_id: UUID, sender: str) -> str:
    return f"<{mail_id.hex}@{domain(sender)}>"


def domain(sender: str) -> str:
    """The domain of ``Name <name@domain>``."""
    return parseaddr(sender)[1].rpartition("@")[2]


def build(letter: Letter, parties: Parties, *, message_id: str, at: datetime, sandbox: bool = False) -> EmailMessage:
    """The whole message; that of a ``sandbox`` partner is marked.

    Raises:
        HeaderRefused: what the letter or the parties are called cannot stand in a header.
    """
    name, address = parseaddr(parties.sender)
    headers: Mapping[str, str | Address] = {
        "From": mailbox(name, address),
        "To": parties.to,
        **({"Reply-To": parties.reply_to} if parties.reply_to else {}),
        "Subject": clean(f"{SANDBOX_MARK} {letter.subject}" if sandbox else letter.subject),
        "Date": format_datetime(at),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        **({SANDBOX_HEADER: "yes"} if sandbox else {}),
    }
    message = EmailMessage(policy=_POLICY)
    try:
        for header, value in headers.items():
            message[header] = value
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        message["Content-Language"] = letter.language
        message.as_bytes()
    except (ValueError, IndexError) as unfit:
        raise HeaderRefused("a header that cannot be written") from unfit
    return message
