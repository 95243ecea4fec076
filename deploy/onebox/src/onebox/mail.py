"""Mail: a sink that accepts every message into a Maildir, and a reader of it.

``python -m onebox.mail PORT FOLDER`` is the sink.
"""

import asyncio
import mailbox
import signal
import sys
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

_SHOWN = ("From", "To", "Cc", "Subject", "Date", "Message-ID")


@dataclass(frozen=True, slots=True)
class Mail:
    headers: dict[str, str]
    text: str

    @classmethod
    def parse(cls, content: bytes) -> "Mail":
        message = message_from_bytes(content, policy=default)
        part = message.get_body(("plain", "html"))
        headers = {name: str(message[name]).strip() for name in _SHOWN if message[name] is not None}
        return cls(headers, part.get_content() if part is not None else "")


def received(folder: Path) -> list[Mail]:
    """Every mail, oldest first."""
    if not (folder / "new").is_dir():
        return []
    box = mailbox.Maildir(folder, create=False)
    files = sorted((Path(folder) / "new").iterdir(), key=lambda file: (file.stat().st_mtime_ns, file.name))
    return [Mail.parse(box.get_bytes(file.name)) for file in files]


async def _sink(port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    handler = Mailbox(folder)
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_sink(int(sys.argv[1]), Path(sys.argv[2])))
