"""HTTP in and out, one module per noun of the path."""

from customers.routes import (
    answers,
    clocks,
    consents,
    consoles,
    credentials,
    customer_facets,
    customers,
    drafts,
    eula,
    imports,
    me,
    offboarding,
    partners,
    possibilities,
    reviews,
    rights,
    roles,
    sessions,
    stages,
    users,
)

_MODULES = (
    answers,
    clocks,
    consoles,
    consents,
    credentials,
    customer_facets,
    customers,
    drafts,
    eula,
    imports,
    me,
    offboarding,
    partners,
    possibilities,
    reviews,
    rights,
    roles,
    sessions,
    stages,
    users,
)
ROUTERS = tuple(module.router for module in _MODULES)
"""In the order in which a service asks them; no two answer the same path."""
