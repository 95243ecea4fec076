"""Which kinds of policies a service has, and publishing the next version of one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from chassis.database import Transaction
from chassis.database.audit import Subject
from chassis.errors import FieldError, Kind, Refusal
from chassis.http.etags import Seen
from chassis.http.invalid import field_errors
from chassis.policies.documents import Documents, InForce, Policy, PolicyMissing


class PolicyNotFound(Refusal):
    """There is no such policy."""

    kind = Kind.NOT_FOUND
    code = "policy_not_found"
    remedy = "List the kinds that there are with GET /v1/policies/{service}."
    rule = "BEY-04"


class PolicyRefused(Refusal):
    """The document is not acceptable."""

    kind = Kind.INVALID
    code = "policy_refused"
    remedy = "Correct what `errors` names; the policy's `takes` describes what is acceptable."
    rule = "BEY-04"


type Follow = Callable[[Transaction, Policy], Awaitable[None]]
"""What follows from another version, done or planned in the transaction that publishes it."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The policies of a service, and how they are kept.

    ``then`` is for kinds of whose decisions something is kept besides the document.
    """

    documents: Documents
    shapes: tuple[type[Policy], ...]
    then: Mapping[str, Follow] = field(default_factory=dict)

    def shape(self, kind: str) -> type[Policy]:
        """What a kind's documents look like.

        Raises:
            PolicyNotFound: there is no such kind.
        """
        found = {one.kind: one for one in self.shapes}.get(kind)
        if found is None:
            raise PolicyNotFound
        return found

    def check(self, kind: str, document: dict[str, Any]) -> Policy:
        """A document as its kind's model takes it.

        Raises:
            PolicyRefused: it does not, with everything that is wrong.
        """
        try:
            return self.shape(kind).model_validate(document)
        except ValidationError as wrong:
            raise PolicyRefused(errors=_errors(wrong, document)) from wrong

    async def publish(self, tx: Transaction, kind: str, document: dict[str, Any], seen: Seen) -> InForce[Policy]:
        """Put the next version of a policy in force; those before it stay as they are.

        Raises:
            PolicyNotFound: there is no such kind.
            PolicyRefused: its model does not take the document.
            Stale: another version is in force than the caller has seen.
        """
        policy = self.check(kind, document)
        before = (await tx.session.execute(self.documents.newest(kind))).one_or_none()
        if before is None:
            raise PolicyMissing(kind)
        seen.admit(before.version)
        after = InForce(before.version + 1, policy)
        await self.put(tx, policy, after.version)
        tx.note(Subject(type="policy", before={kind: before.document}, after={kind: policy.model_dump(mode="json")}))
        return after

    async def put(self, tx: Transaction, policy: Policy, version: int) -> None:
        """Keep a version, with what follows from it.

        Raises:
            Stale: somebody published it in the same moment.
        """
        await self.documents.add(tx, policy, version)
        if (follow := self.then.get(policy.kind)) is not None:
            await follow(tx, policy)


def _errors(wrong: ValidationError, document: Any) -> list[FieldError]:
    return field_errors([{**error, "loc": ("body", *error["loc"])} for error in wrong.errors()], document)
