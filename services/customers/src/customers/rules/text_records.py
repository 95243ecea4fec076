"""Text records: what whoever has a domain says by DNS (RFC 1035, 3.3.14).

A name is looked up once, for five seconds at most; nothing is remembered from one time to the next.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.nameserver import Do53Nameserver
from dns.rdatatype import TXT
from dns.rdtypes.txtbase import TXTBase
from dns.resolver import NXDOMAIN, NoAnswer

from customers.errors.single_sign_on import NameMissing, NoReply, OtherValue, RecordMissing

PATIENCE: Final = 5.0


class Challenge(NamedTuple):
    """A text that a domain's DNS is to say, at a name below it that nothing else uses."""

    domain: str
    value: str

    @property
    def name(self) -> str:
        return f"_partnerdeck-challenge.{self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecords:
    """``server`` is the resolver that is asked; without one, those of the system are."""

    server: str | None = None
    port: int = 53
    patience: float = PATIENCE

    async def wrong_with(self, challenge: Challenge) -> str | None:
        """The code of what the DNS says instead; None where it says what it is to say."""
        try:
            said = await self.at(challenge.name)
        except (NameMissing, RecordMissing, NoReply) as problem:
            return problem.code
        return None if challenge.value in said else OtherValue.code

    async def at(self, name: str) -> frozenset[str]:
        """The texts that stand at a name.

        Raises:
            NameMissing: there is no such name.
            RecordMissing: no text stands there.
            NoReply: nobody says what does.
        """
        try:
            answer = await self._resolver().resolve(f"{name}.", TXT, lifetime=self.patience)
        except NXDOMAIN as missing:
            raise NameMissing from missing
        except NoAnswer as missing:
            raise RecordMissing from missing
        except (DNSException, OSError) as failure:
            raise NoReply from failure
        return frozenset(b"".join(one.strings).decode(errors="replace") for one in answer if isinstance(one, TXTBase))

    def _resolver(self) -> Resolver:
        if self.server is None:
            return Resolver()
        resolver = Resolver(configure=False)
        resolver.nameservers = [Do53Nameserver(self.server, self.port)]
        return resolver
