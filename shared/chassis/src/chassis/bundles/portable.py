"""A service's part of bundles: said to customers, which asks for it in its caller's name, and taken in where it is imported.

Taking in is whole or not at all, and the same part twice is once: what is here exactly as the bundle says it
is left alone, so whoever is interrupted begins again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.bundles import nouns
from chassis.bundles.archive import Bundle, File, Reader
from chassis.bundles.errors import BundleNotWhole, BundleTaken
from chassis.bundles.nouns import Noun, lines, rows_of
from chassis.database.audit import Subject
from chassis.database.transaction import Transaction
from chassis.http.calls import Call, allow
from chassis.http.views import View

type Settle = Callable[[Transaction, Bundle], Awaitable[None]]
"""What is told of what was taken in, and planned for it."""

ASKERS: Final = frozenset({"partner", "service", "operator"})


class PartFile(View, frozen=True, kw_only=True):
    """JSON Lines, and how many."""

    text: str
    rows: int


class PartView(View, frozen=True, kw_only=True):
    """What a service says of a customer in its bundle."""

    service: str
    customer_id: UUID
    files: dict[str, PartFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """The part of one service: its nouns, in the order in which they are imported, each a file in the folder of its name."""

    service: str
    nouns: tuple[Noun, ...]
    settle: Settle

    @property
    def reader(self) -> Reader:
        return Reader(service=self.service, nouns=self.nouns, required=self.nouns)


async def said(tx: Transaction, portable: Portable, customer_id: UUID) -> dict[str, File]:
    """What the service keeps of a customer."""
    files = dict[str, File]()
    for noun in portable.nouns:
        rows = await rows_of(tx, noun, customer_id)
        files[noun.file] = File(lines(rows), len(rows))
    return files


async def take_in(tx: Transaction, portable: Portable, bundle: Bundle) -> bool:
    """Make the part of a bundle this partner's; whether it was not here already. For workers, who look with every partner.

    Raises:
        BundleNotWhole: something was left out of it.
        BundleTaken: an id is here already, and not as the bundle has it.
    """
    customer_id = bundle.manifest.customer_id
    if not bundle.manifest.whole:
        raise BundleNotWhole
    errors = [one for noun in portable.nouns async for one in nouns.taken(tx, noun, bundle.rows[noun.file])]
    if errors:
        if await here(tx, portable.nouns, bundle):
            return False
        raise nouns.refused(errors)
    try:
        for noun in portable.nouns:
            await nouns.put(tx, noun, bundle.rows[noun.file], **{noun.customer: customer_id})
    except IntegrityError as lost:
        raise BundleTaken("something of it was imported at this moment") from lost
    await portable.settle(tx, bundle)
    return True


async def here(tx: Transaction, kept: tuple[Noun, ...], bundle: Bundle) -> bool:
    """Whether the partner has a customer exactly as a bundle says it."""
    customer_id = bundle.manifest.customer_id
    return all([lines(await rows_of(tx, noun, customer_id)) == lines(bundle.rows[noun.file]) for noun in kept])


def routers(portable: Portable | None) -> list[APIRouter]:
    """The route at which a service says its part; none where it has none."""
    if portable is None:
        return []
    made = APIRouter(prefix=f"/v1/bundle-parts/{portable.service}", tags=["bundles"])

    @made.get("/{customer_id}", response_model=PartView)
    async def part(customer_id: UUID, call: Annotated[Call, allow(Permission.CUSTOMERS_REMOVE, kinds=ASKERS)]) -> Response:
        """What this service says of a customer in its bundle (BEY-15). Customers asks for it, and signs it."""
        async with call.change(customer=customer_id, keyed=False) as tx:
            files = await said(tx, portable, customer_id)
            tx.note(Subject(type="customer", id=customer_id, customer_id=customer_id, after={"export": "bundle"}))
            shown = {name: PartFile(text=one.text.decode(), rows=one.rows) for name, one in files.items()}
            return call.answer(PartView(service=portable.service, customer_id=customer_id, files=shown))

    return [made]
