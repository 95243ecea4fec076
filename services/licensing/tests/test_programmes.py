"""A serial number is validated, then activated, once; it belongs to whoever activates it first (LIC-07, rule 11)."""

import pytest

from chassis.database import Transaction
from chassis.http.etags import Seen, Stale
from chassis.ids import new_id
from chassis_testing.database import as_stranger
from contracts.licensing.programmes import ProgrammeActivated, ProgrammeChanged, ProgrammeEnded
from licensing import programmes
from licensing.errors import (
    ProgrammeNotActive,
    ProgrammeNotFound,
    ProgrammeRunning,
    SerialOfOtherKind,
    SerialTaken,
    SerialUnknown,
)
from licensing.programmes import ActivateProgramme, EndProgramme, ValidateSerial
from licensing_testing.builders import a_programme, a_serial


async def test_validating_checks_the_number_and_activates_nothing(tx: Transaction) -> None:
    """LIC-07: two steps."""
    programme = await programmes.validate(tx, ValidateSerial(serial_number=await a_serial(tx)))

    assert (programme.status, programme.capabilities) == ("validated", [])
    assert tx.told == []


async def test_a_number_that_nobody_gave_out_is_refused(tx: Transaction) -> None:
    with pytest.raises(SerialUnknown):
        await programmes.validate(tx, ValidateSerial(serial_number="INVENTED"))


async def test_the_number_of_a_product_opens_no_programme(tx: Transaction) -> None:
    """LIC-10."""
    code = await a_serial(tx, kind="product", product="sep-cloud")

    with pytest.raises(SerialOfOtherKind):
        await programmes.validate(tx, ValidateSerial(serial_number=code))


async def test_activating_enters_the_programme_and_tells_what_it_grants(tx: Transaction) -> None:
    """LIC-07, LIC-05, C-10: the programme grants capabilities, the serial number is the evidence."""
    programme = await a_programme(tx)

    assert programme.status == "active"
    assert programme.capabilities == ["convert_trial", "manage", "monitor", "set_up_paid", "set_up_trial"]
    assert [type(one.record) for one in tx.told] == [ProgrammeActivated, ProgrammeChanged]


async def test_activating_alone_is_refused(tx: Transaction) -> None:
    """Rule 11: what was not validated cannot be activated."""
    with pytest.raises(ProgrammeNotFound):
        await programmes.activate(tx, ActivateProgramme(programme_id=new_id()))


async def test_activating_twice_is_once(tx: Transaction) -> None:
    """Rule 11, also where the second call has not seen the first."""
    programme = await a_programme(tx)

    again = await programmes.activate(tx, ActivateProgramme(programme_id=programme.id, seen=Seen(frozenset({1}))))

    assert (again.id, again.version) == (programme.id, programme.version)
    assert tx.facts_told == [ProgrammeActivated]


async def test_validating_twice_answers_the_same_programme(tx: Transaction) -> None:
    code = await a_serial(tx)

    first, second = [await programmes.validate(tx, ValidateSerial(serial_number=code)) for _ in range(2)]

    assert first.id == second.id


async def test_whoever_has_not_seen_the_present_version_activates_nothing(tx: Transaction) -> None:
    programme = await programmes.validate(tx, ValidateSerial(serial_number=await a_serial(tx)))

    with pytest.raises(Stale):
        await programmes.activate(tx, ActivateProgramme(programme_id=programme.id, seen=Seen(frozenset({7}))))


async def test_a_partner_in_the_programme_activates_no_second_serial_number(tx: Transaction) -> None:
    """LIC-07: done once."""
    await a_programme(tx)
    second = await programmes.validate(tx, ValidateSerial(serial_number=await a_serial(tx)))

    with pytest.raises(ProgrammeRunning):
        await programmes.activate(tx, ActivateProgramme(programme_id=second.id))


async def test_a_number_that_is_in_use_validates_for_nobody_else(tx: Transaction) -> None:
    programme = await a_programme(tx)

    async with as_stranger(tx) as stranger:
        with pytest.raises(SerialTaken):
            await programmes.validate(stranger, ValidateSerial(serial_number=programme.serial_number))


async def test_of_two_that_validated_it_the_first_to_activate_has_it(tx: Transaction) -> None:
    code = await a_serial(tx)
    mine = (await programmes.validate(tx, ValidateSerial(serial_number=code))).id
    async with as_stranger(tx) as stranger:
        theirs = (await programmes.validate(stranger, ValidateSerial(serial_number=code))).id
        await programmes.activate(stranger, ActivateProgramme(programme_id=theirs))

    with pytest.raises(SerialTaken):
        await programmes.activate(tx, ActivateProgramme(programme_id=mine))


async def test_another_partners_programme_does_not_exist(tx: Transaction) -> None:
    programme = await a_programme(tx)

    async with as_stranger(tx) as stranger:
        with pytest.raises(ProgrammeNotFound):
            await programmes.end(stranger, EndProgramme(programme_id=programme.id, reason="terms_broken"))


async def test_a_programme_that_ended_grants_nothing_and_stays_ended(tx: Transaction) -> None:
    """C-10."""
    programme = await a_programme(tx)

    await programmes.end(tx, EndProgramme(programme_id=programme.id, reason="contract_ended"))
    await programmes.end(tx, EndProgramme(programme_id=programme.id, reason="contract_ended"))

    assert (programme.status, programme.capabilities) == ("ended", [])
    assert tx.facts_told == [ProgrammeActivated, ProgrammeEnded]
    with pytest.raises(ProgrammeNotActive):
        await programmes.activate(tx, ActivateProgramme(programme_id=programme.id))
