"""Texts as they may come in: NFC, trimmed, bounded, never blank, without control characters.

What passes here can be stored, sorted, mailed and shown; nothing behind the edge checks it again.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Final

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

_UNFIT: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
_CONTROL: Final = re.compile(f"[{_UNFIT}\ud800-\udfff]")
_LINES: Final = str.maketrans("", "", "\n\t")
_ONE_LINE: Final = rf"^[^{_UNFIT}]*$"
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?")
_NO_COUNTRIES: Final = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"])


@dataclass(frozen=True, slots=True)
class Text:
    """Marks a string of at most ``longest`` characters: ``Annotated[str, Text(200)]``; ``lines`` lets it have several."""

    longest: int
    lines: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.str_schema(strict=True, strip_whitespace=True, min_length=1, max_length=self.longest)
        return core_schema.no_info_after_validator_function(self._clean, text)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler(schema)
        if not self.lines:
            described["pattern"] = _ONE_LINE
        return described

    def _clean(self, text: str) -> str:
        if self.lines:
            text = text.replace("\r\n", "\n")
        checked = text.translate(_LINES) if self.lines else text
        if _CONTROL.search(checked):
            raise PydanticCustomError("control_characters", "Control characters are not allowed")
        text = unicodedata.normalize("NFC", text)
        if len(text) > self.longest:
            raise PydanticCustomError("too_long", "At most {longest} characters", {"longest": self.longest})
        if all(unicodedata.category(one)[0] in "ZC" for one in checked):
            raise PydanticCustomError("blank", "Nothing in it can be seen")
        return text


def _email(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as refused:
        raise PydanticCustomError("email", "Not an e-mail address") from refused
    return f"{checked.local_part}@{checked.ascii_domain}"


def _country(code: str) -> str:
    if code not in countries():
        raise PydanticCustomError("country", "Not a country of ISO 3166-1")
    return code


def _language(tag: str) -> str:
    parts = _LANGUAGE.fullmatch(tag)
    if parts is None or parts[1].lower() not in Locale("en").languages:
        raise PydanticCustomError("language", "Not a language tag")
    language, script, region = parts.groups()
    if region and region.upper() not in Locale("en").territories:
        raise PydanticCustomError("language", "Not a region")
    return "-".join(filter(None, (language.lower(), script and script.title(), region and region.upper())))


def _time_zone(name: str) -> str:
    if name not in time_zones():
        raise PydanticCustomError("time_zone", "Not a time zone of the IANA database")
    return name


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2."""
    known = frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))
    return known - _NO_COUNTRIES


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The names in the packaged IANA database, whatever the machine has."""
    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory"}


Name = Annotated[str, Text(200)]
Note = Annotated[str, Text(2000, lines=True)]
EmailAddress = Annotated[str, Field(strict=True, max_length=254, json_schema_extra={"format": "email"}), AfterValidator(_email)]
"""Deliverability is not checked; the local part keeps its case, the domain is lower case and ASCII (IDNA)."""
CountryCode = Annotated[str, Field(strict=True, pattern="^[A-Z]{2}$"), AfterValidator(_country)]
LanguageTag = Annotated[str, Field(strict=True, max_length=12), AfterValidator(_language)]
"""BCP 47: language, script, region; written as the RFC recommends (``pt-BR``, ``zh-Hant-TW``)."""
TimeZoneName = Annotated[str, Field(strict=True, max_length=64), AfterValidator(_time_zone)]
