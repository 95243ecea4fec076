"""Who signs up is refused by a policy whose version is said."""

from chassis.database import schema

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    schema.door_function(
        "sign_up_policy_in_force()",
        "jsonb",
        "select jsonb_build_object('sign_up', jsonb_build_object('version', version, 'document', document))"
        " from policies where kind = 'sign_up' order by version desc limit 1",
    )
