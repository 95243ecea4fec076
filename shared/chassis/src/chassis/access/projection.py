"""Following who may do what: four projections over customers' state topics, in the group ``<service>.access``.

With a partner comes its clock, where it is a sandbox: who may act for it is never known before that.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete

from chassis.access import tables
from chassis.consumers.events import Event, Tombstone
from chassis.consumers.handlers import Consumer, Projection
from chassis.consumers.upserts import upsert
from chassis.database import clocks
from chassis.database.worker import Work
from chassis.ticks.following import FOLLOW
from contracts.customers.customers import CustomerChanged
from contracts.customers.partners import PartnerChanged
from contracts.customers.roles import RoleChanged
from contracts.customers.users import UserChanged
from contracts.records import State


def consumer(service: str) -> Consumer:
    """The access group of a service that does not own users itself."""
    return Consumer(
        group=f"{service}.access",
        handlers=[
            _with_clocks(follow(PartnerChanged, tables.partners, _partner)),
            follow(UserChanged, tables.users, _user),
            follow(RoleChanged, tables.roles, _role),
            follow(CustomerChanged, tables.customers, _customer),
            FOLLOW,
        ],
        hears_beats=True,
    )


def follow[S: State[Any]](record: type[S], table: Table, row: Callable[[S], dict[str, Any]]) -> Projection[S]:
    """A projection that keeps one row per entity in ``table`` (columns ``partner_id id version ...``).

    ``row`` gives the columns beyond the version. A higher version replaces, an equal or lower
    one is dropped; a tombstone removes the row.
    """

    async def apply(work: Work, events: Sequence[Event[S]]) -> None:
        rows = [{**row(event.record), "version": event.envelope.aggregate_version} for event in events]
        await upsert(work.session, table, rows)

    async def forget(work: Work, ended: Sequence[Tombstone]) -> None:
        gone = delete(table).where(table.c.id.in_([one.entity_id for one in ended]))
        await work.session.execute(gone, execution_options={"across_partners": "a tombstone says which entity ends, not whose it was"})

    return Projection(name=f"{table.name} follows {record.topic}", record=record, apply=apply, forget=forget, keeps=(table.name,))


def _with_clocks(partners: Projection[PartnerChanged]) -> Projection[PartnerChanged]:
    async def apply(work: Work, events: Sequence[Event[PartnerChanged]]) -> None:
        await partners.apply(work, events)
        states = [event.record.state for event in events]
        await clocks.know(work.session, {state.id: state.ahead_seconds or 0.0 for state in states if state.sandbox})

    return replace(partners, apply=apply)


def _partner(record: PartnerChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.id,
        "id": state.id,
        "ancestors": state.ancestors,
        "status": state.status,
        "shut_out": state.shut_out,
        "second_factor": state.second_factor,
        "second_factor_below": state.second_factor_below,
    }


def _user(record: UserChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "kind": state.kind,
        "status": state.status,
        "gen": state.gen,
        "customer_id": state.customer_id,
        "role_ids": state.role_ids,
        "second_factor": state.second_factor,
        "scopes": state.scopes,
    }


def _role(record: RoleChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "permissions": state.permissions,
        "all_customers": state.all_customers,
        "default_level": state.default_level,
        "customers": _by_text(state.customers),
        "tags": dict(state.tags),
    }


def _customer(record: CustomerChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "status": state.status,
        "management_type": state.management_type,
        "tags": state.tags,
        "shut_out": state.shut_out_at is not None,
    }


def _by_text(levels: dict[UUID, Any]) -> dict[str, str]:
    return {str(key): str(level) for key, level in levels.items()}
