"""HTTP in and out: body, command, one visible transaction, view."""

from licensing.routes import catalogue, customers, lines, product_settings, product_templates, programmes, subscriptions

_SETTINGS = (product_templates.router, product_settings.router)
ROUTERS = (catalogue.router, programmes.router, subscriptions.router, customers.router, lines.router, *_SETTINGS)
