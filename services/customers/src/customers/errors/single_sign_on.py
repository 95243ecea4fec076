"""Why customers refuse something about single sign-on, and what a look-up of a domain's proof finds wrong."""

from typing import Final

from chassis.errors import Kind, Refusal


class NoSingleSignOn(Refusal):
    """Nobody signs in elsewhere with this address."""

    kind = Kind.NOT_FOUND
    code = "no_single_sign_on"
    remedy = "Sign in with your password; your partner sets single sign-on up, and proves its domains."
    rule = "MKT-18"


class ConnectionNotFound(Refusal):
    """There is no such connection."""

    kind = Kind.NOT_FOUND
    code = "sso_connection_not_found"
    remedy = "Check the id; list the connections with GET /v1/sso-connections."
    rule = "MKT-18"


class DomainTaken(Refusal):
    """The domain belongs to another connection, or was not asked for by this one."""

    kind = Kind.CONFLICT
    code = "sso_domain_taken"
    remedy = "Name a domain that the connection asks for, and that no other one has."
    rule = "MKT-18"


class ProviderUnusable(Refusal):
    """The sign-in provider cannot be used."""

    kind = Kind.CONFLICT
    code = "sso_provider_unusable"
    remedy = "Check the issuer's address and that its discovery document and keys can be fetched; then begin again."
    rule = "MKT-18"


class SignInNotConfirmed(Refusal):
    """The provider has not confirmed who you are."""

    kind = Kind.UNAUTHENTICATED
    code = "sso_not_confirmed"
    remedy = "Begin again with POST /v1/sso/begin; the provider must say your address, and that it is verified."
    rule = "MKT-18"


class PasswordsClosed(Refusal):
    """Passwords are closed for this domain."""

    kind = Kind.FORBIDDEN
    code = "passwords_closed"
    remedy = "Sign in where your company signs you in: POST /v1/sso/begin."
    rule = "MKT-18"


class ProofNotFound(Refusal):
    """There is no such proof."""

    kind = Kind.NOT_FOUND
    code = "domain_proof_not_found"
    remedy = "Check the ids; list the proofs with GET /v1/sso-connections/{connection_id}/domain-proofs."
    rule = "MKT-18"


class NotProvable(Refusal):
    """Everybody may register names below this domain."""

    kind = Kind.INVALID
    code = "domain_not_provable"
    remedy = "Prove the company's own domain."
    rule = "MKT-18"


class DomainVerified(Refusal):
    """The domain counts already, by the operator's word."""

    kind = Kind.CONFLICT
    code = "sso_domain_verified"
    remedy = "There is nothing to prove: users on the domain sign in by the connection."
    rule = "MKT-18"


class NameMissing(Refusal):
    """The DNS has no such name."""

    kind = Kind.CONFLICT
    code = "dns_name_missing"
    remedy = "Create the TXT record `record_name` with `record_value`; wait until your DNS serves it, then verify again."
    rule = "MKT-18"


class RecordMissing(Refusal):
    """The name has no TXT record."""

    kind = Kind.CONFLICT
    code = "dns_record_missing"
    remedy = "Give `record_name` a record of type TXT with `record_value`; wait until your DNS serves it, then verify again."
    rule = "MKT-18"


class OtherValue(Refusal):
    """The TXT record says something else."""

    kind = Kind.CONFLICT
    code = "dns_other_value"
    remedy = "Put exactly `record_value` into the TXT record; wait until your DNS serves it, then verify again."
    rule = "MKT-18"


class NoReply(Refusal):
    """The DNS did not answer in time, or could not."""

    kind = Kind.CONFLICT
    code = "dns_no_reply"
    remedy = "Check that the domain's name servers answer for `record_name`; then verify again."
    rule = "MKT-18"


PROBLEMS: Final[dict[str, type[Refusal]]] = {one.code: one for one in (NameMissing, RecordMissing, OtherValue, NoReply)}
"""What a look-up may find wrong, by its code."""
