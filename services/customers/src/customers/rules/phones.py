"""Phone numbers, kept as E.164."""

import phonenumbers


def e164(text: str, country: str | None) -> str | None:
    """The number as ``+4940123456``; a national one is read as the country's, where one is known. None when it can be none."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
