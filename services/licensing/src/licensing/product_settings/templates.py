"""Templates: a partner's own settings for a product, under a name; its default is what new customers get (CUS-28, CUS-65).

Customers keep what they were given: a template that changes, or goes, changes nothing of theirs. One
at a time changes the templates of a product, so there is never a second default.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select

from chassis.database import Read, Reading, Transaction, locks
from chassis.http.etags import Seen
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.records import JsonObject
from licensing.errors.product_settings import TemplateNameTaken, TemplateNotFound
from licensing.rules import products
from licensing.tables.product_settings import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTemplate:
    product: str
    name: str
    settings: dict[str, Any]
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTemplate:
    """What is None stays as it is."""

    template_id: UUID
    seen: Seen
    name: str | None = None
    settings: dict[str, Any] | None = None
    is_default: bool | None = None


class TemplateView(View, frozen=True, kw_only=True):
    """A template; new customers that get its product are set by it where `is_default`."""

    id: UUID
    version: int
    product: str
    name: str
    settings: Stored[JsonObject]
    is_default: bool
    created_at: datetime
    updated_at: datetime


async def create(tx: Transaction, command: CreateTemplate) -> Template:
    """Keep a new template.

    Raises:
        ProductUnknown, NotSupported: the product has no templates.
        TemplateNameTaken: there is one of this name.
    """
    product = await products.supporting(tx, command.product, "templates")
    await _alone(tx, product.code)
    await _free(tx, product.code, command.name)
    if command.is_default:
        await _step_down(tx, product.code)
    template = Template(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        product=product.code,
        name=command.name,
        name_key=_key(command.name),
        settings=command.settings,
        is_default=command.is_default,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(template)
    await tx.session.flush()
    return template


async def change(tx: Transaction, command: ChangeTemplate) -> Template:
    """Change a template; what customers were given of it stays.

    Raises:
        TemplateNotFound: there is none.
        Stale: it was changed since the caller saw it.
        TemplateNameTaken: another one has the name.
    """
    template = await _hold(tx, command.template_id, command.seen)
    if command.is_default and not template.is_default:
        await _step_down(tx, template.product)
    if command.name is not None and command.name != template.name:
        await _free(tx, template.product, command.name, but=template.id)
        template.name, template.name_key = command.name, _key(command.name)
    if command.settings is not None and command.settings != template.settings:
        template.settings = command.settings
    if command.is_default is not None and command.is_default != template.is_default:
        template.is_default = command.is_default
    if tx.session.is_modified(template):
        template.updated_at = tx.now
    await tx.session.flush()
    return template


async def delete(tx: Transaction, template_id: UUID, seen: Seen) -> None:
    """Forget a template; what customers were given of it stays.

    Raises:
        TemplateNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    await tx.session.delete(await _hold(tx, template_id, seen))
    await tx.session.flush()


_SORTS: Final = Sorts({"name": ("name_key", str), "created_at": ("created_at", datetime)}, default="name", last=("id", UUID))
_TEMPLATES: Final = Paged(Template, TemplateView, _SORTS)
_ONE: Final = Reading(Template, lambda r, _shape: select(*TemplateView.columns(r)).where(r.c.id == bindparam("id", type_=r.c.id.type)))


async def page(read: Read, wanted: Wanted, *, product: str | None = None, is_default: bool | None = None) -> Listing[TemplateView]:
    """The partner's templates by name; operators read every partner's."""
    return await _TEMPLATES.page(read, wanted, product=product, is_default=is_default)


async def one(read: Read, template_id: UUID) -> TemplateView:
    """One template.

    Raises:
        TemplateNotFound: there is none.
    """
    row = await read.row(_ONE, id=template_id)
    if row is None:
        raise TemplateNotFound
    return TemplateView.of(row)


async def _hold(tx: Transaction, template_id: UUID, seen: Seen) -> Template:
    """The template as the caller has seen it; its product's templates are changed by nobody else until the transaction ends."""
    mine = select(Template).where(Template.partner_id == tx.partner_id, Template.id == template_id)
    found = (await tx.session.scalars(mine)).one_or_none()
    if found is None:
        raise TemplateNotFound
    await _alone(tx, found.product)
    again = mine.with_for_update().execution_options(populate_existing=True)
    template = (await tx.session.scalars(again)).one_or_none()
    if template is None:
        raise TemplateNotFound
    seen.admit(template.version)
    return template


async def _alone(tx: Transaction, product: str) -> None:
    await locks.alone(tx.session, f"product templates {tx.partner_id} {product}")


async def _free(tx: Transaction, product: str, name: str, *, but: UUID | None = None) -> None:
    same = (Template.partner_id == tx.partner_id, Template.product == product, Template.name_key == _key(name), Template.id != but)
    if (await tx.session.execute(select(Template.id).where(*same))).one_or_none() is not None:
        raise TemplateNameTaken(name=name)


async def _step_down(tx: Transaction, product: str) -> None:
    """The default is it no longer, and that is written down before another becomes it: no index sees two."""
    mine = (Template.partner_id == tx.partner_id, Template.product == product, Template.is_default)
    before = (await tx.session.scalars(select(Template).where(*mine).with_for_update())).one_or_none()
    if before is not None:
        before.is_default, before.updated_at = False, tx.now
        await tx.session.flush()


def _key(name: str) -> str:
    return name.casefold()
