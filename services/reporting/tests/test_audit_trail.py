"""Who did what is found in one list over all services, by those who may look (GW-11)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from told_to_reporting import NOW, an_audit_entry

from chassis.consumers import Event
from chassis.database import Transaction
from chassis.http.lists import Wanted
from chassis.ids import new_id
from chassis_testing.database import as_stranger, reading
from contracts.any.audit import AuditRecorded
from reporting import audit_trail
from reporting.audit_trail import AuditView

ADA, HOUSE = new_id(), new_id()


async def kept(tx: Transaction, *entries: Event[AuditRecorded]) -> None:
    for entry in entries:
        await audit_trail.keep(tx, entry)


async def listed(tx: Transaction, **filters: Any) -> Sequence[AuditView]:
    return (await audit_trail.page(await reading(tx), Wanted(), **filters)).items


async def test_entries_are_newest_first_and_no_other_partners(tx: Transaction) -> None:
    await kept(tx, *(an_audit_entry(tx.partner_id, minute) for minute in (1, 3, 2)))

    assert [(one.at - NOW).seconds // 60 for one in await listed(tx)] == [3, 2, 1]
    async with as_stranger(tx) as stranger:
        assert await listed(stranger) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"user_id": ADA}, {5}),
        ({"subject_type": "house", "subject_id": HOUSE}, {2}),
        ({"operation": "sessions_sign_in"}, {3}),
        ({"outcome": "denied"}, {4}),
        ({"since": NOW + timedelta(minutes=2), "until": NOW + timedelta(minutes=4)}, {2, 3}),
        ({"operation": "unheard_of"}, set()),
    ],
)
async def test_they_are_found_by_who_what_whom_and_when(tx: Transaction, filters: dict[str, Any], found: set[int]) -> None:
    await kept(
        tx,
        an_audit_entry(tx.partner_id, 1),
        an_audit_entry(tx.partner_id, 2, subject_type="house", subject_id=HOUSE),
        an_audit_entry(tx.partner_id, 3, operation="sessions_sign_in"),
        an_audit_entry(tx.partner_id, 4, outcome="denied", code="not_allowed"),
        an_audit_entry(tx.partner_id, 5, user_id=ADA),
    )

    assert {(one.at - NOW).seconds // 60 for one in await listed(tx, **filters)} == found
