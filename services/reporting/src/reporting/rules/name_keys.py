"""How names are compared: without case, accents and doubled blanks, so that ``MULLER`` finds ``Müller``."""

import unicodedata
from typing import Final

_ESCAPED: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def name_key(name: str) -> str:
    """The form in which a name is stored for search and order. A key of a key is itself."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return " ".join("".join(letter for letter in folded if not unicodedata.combining(letter)).split())


def fragment_pattern(fragment: str) -> str:
    """The ``LIKE`` pattern of names that contain a fragment; nothing in it is a wildcard."""
    return f"%{name_key(fragment).translate(_ESCAPED)}%"
