"""Why customers refuse something about single sign-on."""

from chassis.errors import Kind, Refusal


class NoSingleSignOn(Refusal):
    """Nobody signs in elsewhere with this address."""

    kind = Kind.NOT_FOUND
    code = "no_single_sign_on"
    remedy = "Sign in with your password; your partner sets single sign-on up, and the operator confirms its domains."
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
