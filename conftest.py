"""Every test may ask for a real PostgreSQL, a real Kafka and a database of its own."""

pytest_plugins = [
    "chassis_testing.logs",
    "chassis_testing.sharing",
    "chassis_testing.stack",
    "chassis_testing.database",
    "chassis_testing.topics",
    "chassis_testing.statements",
]
