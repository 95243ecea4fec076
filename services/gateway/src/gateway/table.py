"""The route table: which service answers at which path, and what needs no token.

The one place that knows. A test compares it with the services' own OpenAPI documents, so a
path that a service gains or loses is missed here at once.
"""

from typing import Final

PATHS: Final[dict[str, tuple[str, ...]]] = {
    "customers": (
        "/.well-known/jwks.json",
        "/v1/console-sessions/exchange",
        "/v1/console-sessions/introspect",
        "/v1/console-sessions/leave",
        "/v1/console-targets",
        "/v1/consents/asked",
        "/v1/consents/confirm",
        "/v1/consents/decline",
        "/v1/api-keys",
        "/v1/api-keys/{key_id}",
        "/v1/api-keys/{key_id}/rotate",
        "/v1/credentials/set-password",
        "/v1/customer-bulk/communications",
        "/v1/customer-bulk/delete",
        "/v1/customer-bulk/disable",
        "/v1/customer-bulk/enable",
        "/v1/customer-bulk/tag",
        "/v1/customer-bulk/unlink",
        "/v1/customer-bulk/untag",
        "/v1/customer-checks",
        "/v1/customer-drafts",
        "/v1/customer-drafts/{draft_id}",
        "/v1/customer-drafts/{draft_id}/submit",
        "/v1/customer-facets",
        "/v1/customers",
        "/v1/customers/export.csv",
        "/v1/customers/{customer_id}",
        "/v1/customers/{customer_id}/actions",
        "/v1/customers/{customer_id}/fields",
        "/v1/customers/{customer_id}/bundle",
        "/v1/customers/{customer_id}/console-sessions",
        "/v1/customers/{customer_id}/console-sessions/{session_id}/end",
        "/v1/customers/{customer_id}/delete",
        "/v1/customers/{customer_id}/move",
        "/v1/customers/{customer_id}/move/preview",
        "/v1/customers/{customer_id}/delete/preview",
        "/v1/customers/{customer_id}/deletion",
        "/v1/customers/{customer_id}/disable",
        "/v1/customers/{customer_id}/disable/preview",
        "/v1/customers/{customer_id}/enable",
        "/v1/customers/{customer_id}/communications",
        "/v1/customers/{customer_id}/consents",
        "/v1/customers/{customer_id}/consents/console-launch",
        "/v1/customers/{customer_id}/consents/revoke",
        "/v1/customers/{customer_id}/consents/{consent_id}",
        "/v1/customers/{customer_id}/consents/{consent_id}/confirm",
        "/v1/customers/{customer_id}/consents/{consent_id}/decline",
        "/v1/customers/{customer_id}/first-admin",
        "/v1/customers/{customer_id}/management",
        "/v1/customers/{customer_id}/review/clear",
        "/v1/customers/{customer_id}/review/reject",
        "/v1/customers/{customer_id}/restore",
        "/v1/customers/{customer_id}/stages",
        "/v1/customers/{customer_id}/stages/{stage_id}",
        "/v1/customers/{customer_id}/stages/{stage_id}/stop",
        "/v1/customers/{customer_id}/tags",
        "/v1/customers/{customer_id}/unlink",
        "/v1/customers/{customer_id}/unlink/preview",
        "/v1/email-changes/confirm",
        "/v1/email-changes/undo",
        "/v1/eula",
        "/v1/imports",
        "/v1/imports/{import_id}",
        "/v1/jobs/customers/{job_id}",
        "/v1/jobs/customers/{job_id}/cancel",
        "/v1/jobs/customers/{job_id}/items",
        "/v1/me",
        "/v1/me/access/{customer_id}",
        "/v1/me/contacts",
        "/v1/me/contacts/{contact_id}",
        "/v1/me/email-change",
        "/v1/me/password",
        "/v1/me/rights",
        "/v1/me/second-factor",
        "/v1/me/second-factor/confirm",
        "/v1/me/second-factor/disable",
        "/v1/me/second-factor/recovery-codes",
        "/v1/me/sessions",
        "/v1/me/sessions/end",
        "/v1/me/sessions/{session_id}/end",
        "/v1/partners",
        "/v1/partners/{partner_id}",
        "/v1/partners/{partner_id}/clock",
        "/v1/partners/{partner_id}/disable",
        "/v1/partners/{partner_id}/enable",
        "/v1/partners/{partner_id}/let-in",
        "/v1/partners/{partner_id}/shut-out",
        "/v1/resellers",
        "/v1/partners/{partner_id}/clock/advance",
        "/v1/policies/customers",
        "/v1/policies/customers/{kind}",
        "/v1/password-resets",
        "/v1/reviews",
        "/v1/role-default",
        "/v1/roles",
        "/v1/roles/{role_id}",
        "/v1/screening",
        "/v1/screening/rescreen",
        "/v1/sessions",
        "/v1/sessions/end",
        "/v1/sessions/refresh",
        "/v1/sessions/second-factor",
        "/v1/sign-ups",
        "/v1/sign-ups/challenge",
        "/v1/sso-connections",
        "/v1/sso-connections/{connection_id}",
        "/v1/sso-connections/{connection_id}/verify",
        "/v1/sso/begin",
        "/v1/sso/finish",
        "/v1/tokens",
        "/v1/sign-in-rules",
        "/v1/users",
        "/v1/users/{user_id}",
        "/v1/users/{user_id}/access/{customer_id}",
        "/v1/users/{user_id}/contacts",
        "/v1/users/{user_id}/contacts/{contact_id}",
        "/v1/users/{user_id}/disable",
        "/v1/users/{user_id}/enable",
        "/v1/users/{user_id}/link",
        "/v1/users/{user_id}/roles",
        "/v1/users/{user_id}/second-factor/reset",
        "/v1/users/{user_id}/sessions",
        "/v1/users/{user_id}/sessions/end",
    ),
    "licensing": (
        "/v1/capabilities",
        "/v1/customers/{customer_id}/entitlements",
        "/v1/customers/{customer_id}/provisioning",
        "/v1/lines",
        "/v1/offers",
        "/v1/policies/licensing",
        "/v1/policies/licensing/{kind}",
        "/v1/programmes",
        "/v1/programmes/{programme_id}/activate",
        "/v1/programmes/{programme_id}/end",
        "/v1/subscriptions",
        "/v1/subscriptions/{subscription_id}",
        "/v1/subscriptions/{subscription_id}/convert",
        "/v1/subscriptions/{subscription_id}/convert/preview",
    ),
    "reporting": (
        "/v1/audit",
        "/v1/customer-overview",
        "/v1/customer-overview/totals",
        "/v1/customer-overview/{customer_id}",
        "/v1/customers/{customer_id}/timeline",
    ),
    "notifications": ("/v1/notifications",),
}

ROOT: Final = "/"
WELCOME: Final = "/welcome"
CONSENT: Final = "/consent"
DOCUMENT: Final = "/openapi.json"
EVENTS: Final = "/events.json"
LIVE: Final = "/health/live"
READY: Final = "/health/ready"
PROFILE: Final = "/v1/customers/{customer_id}/profile"

POLICIES: Final = "/v1/policies"

COMPOSED: Final = (PROFILE, POLICIES)
"""Answers made of what several services say to the caller."""
OWN: Final = (ROOT, WELCOME, CONSENT, DOCUMENT, EVENTS, LIVE, READY, *COMPOSED)
"""What the gateway answers itself."""

PUBLIC: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("POST", "/v1/sessions"),
        ("POST", "/v1/sessions/refresh"),
        ("POST", "/v1/sessions/end"),
        ("POST", "/v1/credentials/set-password"),
        ("POST", "/v1/email-changes/confirm"),
        ("POST", "/v1/email-changes/undo"),
        ("POST", "/v1/password-resets"),
        ("POST", "/v1/sessions/second-factor"),
        ("POST", "/v1/console-sessions/exchange"),
        ("POST", "/v1/console-sessions/introspect"),
        ("POST", "/v1/console-sessions/leave"),
        ("GET", "/v1/consents/asked"),
        ("POST", "/v1/consents/confirm"),
        ("POST", "/v1/consents/decline"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/sso/begin"),
        ("POST", "/v1/sso/finish"),
        ("POST", "/v1/sign-ups"),
        ("GET", "/v1/sign-ups/challenge"),
        ("GET", "/.well-known/jwks.json"),
        *((method, path) for path in OWN if path not in COMPOSED for method in ("GET", "HEAD")),
    }
)
"""Operations that nobody is signed in to yet; for all others a token is checked at the door."""

PROBING: Final[frozenset[tuple[str, str]]] = frozenset({("POST", "/v1/customer-checks")})
"""Operations that say what is taken, by whomever; each user may ask them less often than the rest."""

UNLIMITED: Final = frozenset({LIVE, READY})
"""Who watches the gateway may look as often as it likes."""
