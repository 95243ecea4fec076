"""HTTP in and out: body, command, one visible transaction, view."""

from licensing.routes import catalogue, customers, lines, programmes, subscriptions

ROUTERS = (catalogue.router, programmes.router, subscriptions.router, customers.router, lines.router)
