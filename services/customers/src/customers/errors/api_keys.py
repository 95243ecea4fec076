"""Why customers refuse something about an API key."""

from chassis.errors import Kind, Refusal


class ApiKeyNotFound(Refusal):
    """There is no such API key."""

    kind = Kind.NOT_FOUND
    code = "api_key_not_found"
    remedy = "Check the id; list the keys with GET /v1/api-keys. One that was revoked is gone."
    rule = "MKT-17"


class ApiKeyInvalid(Refusal):
    """The API key is not valid, or not any more."""

    kind = Kind.UNAUTHENTICATED
    code = "api_key_invalid"
    remedy = "Send the key as it was shown when it was made; have another made where it was revoked or has expired."
    rule = "MKT-17"


class ScopeForPeople(Refusal):
    """No API key is given this permission: it is for people."""

    kind = Kind.INVALID
    code = "scope_for_people"
    remedy = "Leave it out: users, roles and keys are managed by people alone."
    rule = "MKT-17"


class ExpiryPassed(Refusal):
    """The key would have expired already."""

    kind = Kind.INVALID
    code = "expiry_passed"
    remedy = "Name an instant that is still to come, or leave it out."
    rule = "MKT-17"


class TooManyKeys(Refusal):
    """The partner has as many API keys as it may."""

    kind = Kind.CONFLICT
    code = "too_many_api_keys"
    remedy = "Revoke those that nobody uses: GET /v1/api-keys says when each was used last."
    rule = "MKT-17"
