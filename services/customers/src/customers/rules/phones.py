"""Phone numbers, kept as E.164 and, where they have one, with their extension as RFC 3966 writes it."""

import phonenumbers


def kept(text: str, country: str | None) -> str | None:
    """The number as ``+4940123456`` or ``+4940123456;ext=17``; None when it can be none.

    A national one is read as the country's, where one is known.
    """
    number = _number(text, country)
    if number is None:
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def mobile(text: str) -> str | None:
    """An international number that a short message can be sent to: none behind an extension."""
    number = _number(text, None)
    return None if number is None or number.extension else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _number(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
