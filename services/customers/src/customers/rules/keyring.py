"""The keyring: what signing in needs besides the database."""

from dataclasses import dataclass

from chassis.tokens import Issuer
from customers.rules.console_keys import Console
from customers.rules.passwords import Passwords
from customers.rules.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    issuer: Issuer
    link_key: bytes
    passwords: Passwords
    sealer: Sealer
    console: Console | None = None
