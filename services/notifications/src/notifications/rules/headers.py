"""Headers of mails: nothing that a name holds may become a header of its own.

A text is refused when it holds control characters, whether as it is or after its encoded
words (RFC 2047) have been decoded, as often as they are nested.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.headerregistry import Address
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DEEPEST: Final = 4


class HeaderRefused(Exception):
    """A text cannot stand in a header of a mail."""


def clean(text: str) -> str:
    """The text, which may stand in a header.

    Raises:
        HeaderRefused: it holds control characters, or encoded words that cannot be read.
    """
    decoded = text
    for _ in range(_DEEPEST):
        if _CONTROL.search(decoded):
            raise HeaderRefused("control characters")
        again = _decoded(decoded)
        if again == decoded:
            return text
        decoded = again
    raise HeaderRefused("encoded words within encoded words")


def mailbox(name: str, address: str) -> Address:
    """Somebody's name and address.

    Raises:
        HeaderRefused: they cannot stand in a header, or it is no address that can be mailed.
    """
    if not address.isascii():
        raise HeaderRefused("no address in ASCII")
    try:
        return Address(display_name=clean(name), addr_spec=clean(address))
    except (ValueError, IndexError, HeaderParseError) as malformed:
        raise HeaderRefused("no address") from malformed


def _decoded(text: str) -> str:
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError) as unreadable:
        raise HeaderRefused("encoded words that cannot be read") from unreadable
