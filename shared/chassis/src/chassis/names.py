"""Names as they are searched and sorted: transliterated, without case, so that ``Muller`` finds ``Müller``.

One form for all: whoever finds a name in one service's list finds it in another's.
"""

import re
import unicodedata
from typing import Final

from anyascii import anyascii

_SPACES: Final = re.compile(r"\s+")
_LONGEST: Final = 1000
"""Characters of a key: what is written out may be forty times as long as the name, and an index or a cursor takes only so much."""


def search_key(name: str) -> str:
    """What a fragment is looked for in, and what a list is sorted by. A key of a key is itself."""
    plain = anyascii(unicodedata.normalize("NFKC", name)).casefold()
    return _SPACES.sub(" ", plain).strip()[:_LONGEST].strip() or name.casefold()
