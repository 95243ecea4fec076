"""What a new role of a partner gives where its maker does not say: the partner's own choice, else the operator's policy (C-12, CUS-88)."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Read, Reading, Transaction
from chassis.database.audit import Subject
from chassis.http.etags import Seen, Stale
from chassis.http.views import View
from customers.rules import policies
from customers.rules.new_roles import RolesPolicy, StartingLevel
from customers.tables.roles import RoleDefault


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseDefault:
    """``access`` None leaves it to the policy. ``seen`` is the version of the choice; 0 while there was none."""

    seen: Seen
    access: StartingLevel | None


class RoleDefaultView(View, frozen=True, kw_only=True):
    """`role_default_access` is what holds; `chosen` is what the partner said, null where the policy of `policy_version` decides."""

    version: int
    role_default_access: StartingLevel
    chosen: StartingLevel | None
    policy_version: str


async def choose(tx: Transaction, command: ChooseDefault) -> RoleDefaultView:
    """Choose for all roles that are made from now on; those that there are stay as they are.

    Raises:
        Stale: it was chosen anew since the caller saw it.
    """
    mine = select(RoleDefault.version, RoleDefault.access).where(RoleDefault.partner_id == tx.partner_id, RoleDefault.id == tx.partner_id)
    before = (await tx.session.execute(mine)).one_or_none()
    version = before.version if before else 0
    command.seen.admit(version)
    row = insert(RoleDefault).values(partner_id=tx.partner_id, id=tx.partner_id, version=1, access=command.access)
    raised: dict[str, Any] = {"version": RoleDefault.version + 1, "access": command.access}
    put = row.on_conflict_do_update(index_elements=["partner_id", "id"], set_=raised, where=RoleDefault.version == version)
    after = (await tx.session.execute(put.returning(RoleDefault.version))).scalar_one_or_none()
    if after is None:
        raise Stale
    tx.note(Subject(type="role_default", before={"access": before.access if before else None}, after={"access": command.access}))
    policy = await policies.in_force(tx, RolesPolicy)
    return _view(after, command.access, policy.policy, policy.version)


_MINE: Final = Reading(RoleDefault, lambda r, _shape: select(r.c.version, r.c.access))


async def chosen(read: Read) -> RoleDefaultView:
    """What holds now."""
    row = await read.row(_MINE)
    policy = await policies.read(read, RolesPolicy)
    return _view(row["version"] if row else 0, row["access"] if row else None, policy.policy, policy.version)


def _view(version: int, access: StartingLevel | None, policy: RolesPolicy, policy_version: int) -> RoleDefaultView:
    holds = access or policy.role_default_access
    return RoleDefaultView(version=version, role_default_access=holds, chosen=access, policy_version=str(policy_version))
