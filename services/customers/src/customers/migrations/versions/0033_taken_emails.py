"""Which addresses are taken is said by what keeps them: logins, and those that users have left lately.

A customer's own are not in its way, but for one that its user may still take back.
"""

from chassis.database import schema

revision = "0033"
down_revision = "0032"

_TAKEN = """
select coalesce(array_agg(email_key), '{}') from (
    select email_key from logins where email_key = any(keys) and (whose is null or customer_id is distinct from whose)
    union select email_key from kept_addresses where email_key = any(keys)) taken"""
_READERS = ("partner", "worker", "portal")


def upgrade() -> None:
    schema.door_function("taken_emails(keys text[], whose uuid)", "text[]", _TAKEN, to=_READERS)
    schema.door_function("taken_emails(keys text[])", "text[]", "select door.taken_emails(keys, null::uuid)", to=_READERS)
