"""What the services tell each other: the envelope, and one package of facts and states per telling service.

Plain data. Nothing here knows a service, a database or a broker.
"""
