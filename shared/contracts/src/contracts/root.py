"""The root party: the vendor or distributor that runs the installation."""

from typing import Final
from uuid import UUID

ROOT_PARTNER_ID: Final = UUID("00000000-0000-7000-8000-000000000001")
"""Managing partner of every unlinked customer, parent of every partner; the same in every installation."""
