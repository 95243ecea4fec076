"""Policies as they are shown: each kind with the version in force, and any version that there was."""

from datetime import datetime
from typing import Any, Final

import msgspec

from chassis.database import Read
from chassis.http.lists import Listing
from chassis.http.views import Stored, View
from chassis.policies.documents import Policy
from chassis.policies.kinds import Kinds, PolicyNotFound

type Json = dict[str, Any]

_ALL: Final = """
select * from (
    select {kind} as kind, version, document::text as document, published_at, max(version) over (partition by {kind}) = version as in_force
      from policies where {kind} = any($1)
) one
 where version = $2 or ($2 is null and in_force)
 order by kind
"""


class PolicyView(View, frozen=True, kw_only=True):
    """A version of a policy; `in_force` says whether it decides now.

    `about` says what it decides, `takes` (JSON Schema) what the document of a next version must look like.
    """

    service: str
    kind: str
    version: int
    in_force: bool
    published_at: datetime
    document: Stored[Json]
    about: str
    takes: Stored[Json]


class Shelf:
    """The policies of one service, read."""

    def __init__(self, service: str, kinds: Kinds) -> None:
        self._service = service
        self._kinds = kinds
        self._all: Final = _ALL.format(kind=kinds.documents.kind)

    async def page(self, read: Read) -> Listing[PolicyView]:
        """Every kind, with the version in force."""
        rows = await read.connection.fetch(self._all, [shape.kind for shape in self._kinds.shapes], None)
        return Listing.whole([self._shown(row) for row in rows], as_of=read.real_now)

    async def one(self, read: Read, kind: str, version: int | None) -> PolicyView:
        """A version of a kind; the one in force where none is named.

        Raises:
            PolicyNotFound: there is no such kind, or no such version.
        """
        row = await read.connection.fetchrow(self._all, [self._kinds.shape(kind).kind], version)
        if row is None:
            raise PolicyNotFound
        return self._shown(row)

    def published(self, policy: Policy, version: int, at: datetime) -> PolicyView:
        """The version that was just published, as ``one`` answers it."""
        return self._shown(
            {"kind": policy.kind, "version": version, "in_force": True, "published_at": at, "document": policy.model_dump_json()}
        )

    def _shown(self, row: Any) -> PolicyView:
        shape = self._kinds.shape(row["kind"])
        return PolicyView.of(
            row,
            service=self._service,
            about=(shape.__doc__ or "").strip(),
            takes=msgspec.Raw(msgspec.json.encode(shape.model_json_schema())),
        )
