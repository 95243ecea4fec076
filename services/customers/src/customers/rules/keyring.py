"""The keyring: what routes need besides the database."""

from dataclasses import dataclass, field

from chassis.tokens import Issuer
from customers.rules.bundle_parts import Parts
from customers.rules.console_keys import Console
from customers.rules.openid import Providers
from customers.rules.outgoing import Outgoing
from customers.rules.passwords import Passwords
from customers.rules.sealing import Sealer
from customers.rules.text_records import TextRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    issuer: Issuer
    link_key: bytes
    passwords: Passwords
    sealer: Sealer
    parts: Parts
    console: Console | None = None
    providers: Providers = field(default_factory=lambda: Providers(Outgoing()))
    records: TextRecords = field(default_factory=TextRecords)
