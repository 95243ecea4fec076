"""Domains: bare names, which addresses are on one (CUS-21, CUS-23), and whether two belong to one organisation (CUS-18).

What belongs together is decided by the public suffix list, as packaged; nothing is fetched.
A name under a suffix that the list does not know counts as registered below its last label.
"""

import re
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LONGEST: Final = 253
_suffixes: Final = PublicSuffixList()

_FREE_MAIL: Final = """
163.com aol.com fastmail.com gmail.com gmx.com gmx.de gmx.net googlemail.com hotmail.com hotmail.de icloud.com live.com mail.com
mail.ru mailbox.org me.com msn.com outlook.com outlook.de posteo.de proton.me protonmail.com qq.com t-online.de tutanota.com
web.de yahoo.com yahoo.de yandex.ru zoho.com
"""
FREE_MAIL: Final = frozenset(_FREE_MAIL.split())
"""Where everybody may have an address, so that sharing one says nothing."""


class BadDomain(ValueError):
    """Not a bare domain; ``code`` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def bare(text: str) -> str:
    """A customer's domain as it is kept: lower case, ASCII (IDNA).

    Raises:
        BadDomain: it begins with ``www.``, is a public suffix, or no domain at all.
    """
    domain = _ascii(text.strip().lower().removesuffix("."))
    if domain.startswith("www."):
        raise BadDomain("www_not_allowed", "Just the domain, without www.")
    labels = domain.split(".")
    if len(domain) > _LONGEST or len(labels) == 1 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise BadDomain("not_a_domain", "Just the domain: no address, no path, no e-mail.")
    if registrable(domain) is None:
        raise BadDomain("public_suffix", "Everybody may register names below this; give the company's own domain.")
    return domain


def registrable(domain: str) -> str | None:
    """The part of a domain that one organisation has registered; None of a public suffix."""
    found: str | None = _suffixes.privatesuffix(domain)
    return found


def of_email(email: str) -> str:
    return email.rpartition("@")[2].lower()


def on(domain: str, email: str) -> bool:
    """Whether an address is on a domain or on one below it; one above or beside it is somewhere else (CUS-23)."""
    where = of_email(email)
    return where == domain or where.endswith(f".{domain}")


def together(one: str, other: str) -> bool:
    """Whether two domains belong to one organisation."""
    mine = registrable(one)
    return one == other or (mine is not None and mine == registrable(other))


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as refused:
        raise BadDomain("not_a_domain", "Not a domain name.") from refused
