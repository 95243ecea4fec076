"""Every test may ask for a real PostgreSQL, a real Kafka and a database of its own. None has to be quick, nor are made-up values."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = [
    "chassis_testing.logs",
    "chassis_testing.sharing",
    "chassis_testing.stack",
    "chassis_testing.database",
    "chassis_testing.topics",
    "chassis_testing.statements",
]
