"""Letters: what a mail says, as HTML and as text, in the reader's language.

Words stand in one catalogue per kind of letter and language, shape in one layout. Pure:
everything a letter says is given to it. What people and companies are called is escaped in
HTML and cannot bring a line of its own into the text.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Self

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from notifications.tables.partners import Partner

FALLBACK: Final = "en"
_UNFIT: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_WEB: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The partner in whose name a mail goes out, and where its customers buy and get help (CUS-74)."""

    name: str
    purchase_url: str | None = None
    support_url: str | None = None
    support_email: str | None = None
    support_phone: str | None = None

    @classmethod
    def of(cls, partner: Partner) -> Self:
        return cls(
            name=partner.name,
            purchase_url=partner.purchase_url,
            support_url=partner.support_url,
            support_email=partner.support_email,
            support_phone=partner.support_phone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """``html`` and ``text`` say the same."""

    language: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Contact:
    label: str
    text: str
    href: str | None


def write(
    kind: str, language: str, *, sender: Sender, link: str | None, copy: str | None = None, values: Mapping[str, str] | None = None
) -> Letter:
    """A letter of one kind. ``link`` is behind its button; a letter without one says that it was left out.

    ``copy`` names the phrase that says, above everything, of what this is a copy.
    """
    language, words = phrases(kind, language)
    values = {"partner": sender.name, **(values or {})}
    subject = _said(words["subject"], values)
    if copy is not None:
        subject = _said(words["copy_subject"], {**values, "subject": subject})
    shape = {
        "language": language,
        "words": words,
        "values": values,
        "link": link,
        "copy": copy and words[copy],
        "contacts": _contacts(sender, phrases("layout", language)[1]),
        "frame": phrases("layout", language)[1],
    }
    environments = _environments()
    return Letter(
        language=language,
        subject=subject,
        html=environments["html"].get_template("layout/letter.html").render(shape, say=_in_html(values), subject=subject),
        text=environments["text"].get_template("layout/letter.txt").render(shape, say=_in_text(values)).strip() + "\n",
    )


@lru_cache(maxsize=64)
def phrases(kind: str, language: str) -> tuple[str, dict[str, Any]]:
    """The catalogue of a kind of letter, and in which language it is: the one asked for, else without region, else English."""
    folder = files("notifications") / "templates" / kind
    for candidate in (language.lower(), language.lower().partition("-")[0], FALLBACK):
        catalogue = folder / f"{candidate}.toml"
        if re.fullmatch("[a-z0-9-]{2,12}", candidate) and catalogue.is_file():
            return candidate, tomllib.loads(catalogue.read_text(encoding="utf-8"))
    raise LookupError(f"letter {kind!r} has no catalogue")


def _said(phrase: str, values: Mapping[str, str]) -> str:
    """A phrase with its values as they are: whether they may stand in a header is decided there."""
    return phrase.format_map(values)


def _in_text(values: Mapping[str, str]) -> Any:
    plain = {name: _UNFIT.sub(" ", value) for name, value in values.items()}
    return lambda phrase: phrase.format_map(plain)


def _in_html(values: Mapping[str, str]) -> Any:
    plain = {name: escape(_UNFIT.sub(" ", value)) for name, value in values.items()}
    return lambda phrase: Markup(escape(phrase).format(**plain))  # noqa: S704 (phrases are ours, values are escaped)


def _contacts(sender: Sender, words: Mapping[str, str]) -> Sequence[_Contact]:
    """Where to buy and get help. Only web addresses become links to the web."""
    wanted = [
        _Contact(words["purchase"], sender.purchase_url or "", _web(sender.purchase_url)),
        _Contact(words["support"], sender.support_url or "", _web(sender.support_url)),
        _Contact(words["email"], sender.support_email or "", f"mailto:{sender.support_email}"),
        _Contact(words["phone"], sender.support_phone or "", f"tel:{re.sub(r'[^+0-9;=a-z]', '', sender.support_phone or '')}"),
    ]
    return [_Contact(one.label, _UNFIT.sub(" ", one.text), one.href) for one in wanted if one.text]


def _web(url: str | None) -> str | None:
    return url if url and url.lower().startswith(_WEB) else None


@lru_cache(maxsize=1)
def _environments() -> dict[str, Environment]:
    loader = PackageLoader("notifications", "templates")
    return {
        "html": Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True),
        "text": Environment(
            loader=loader,
            autoescape=False,  # noqa: S701 (plain text)
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ),
    }
