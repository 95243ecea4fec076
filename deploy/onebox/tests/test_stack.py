"""The test stack is real: the PostgreSQL and the Kafka that are deployed, run by whoever runs the tests."""

import uuid
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from onebox import kafka as kafka_server
from onebox.postgres import PostgresAddress, connect


async def test_the_server_is_postgresql_18_with_contrib(postgres: PostgresAddress) -> None:
    connection = await connect(postgres)
    try:
        assert (await connection.fetchval("show server_version")).startswith("18.")
        extensions = await connection.fetchval("select array_agg(name::text) from pg_available_extensions")
    finally:
        await connection.close()

    assert {"pg_trgm", "btree_gin"} <= set(extensions)


async def test_the_broker_creates_the_topics_it_is_told_to(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("onebox.stack-test", num_partitions=2, replication_factor=1)])
        assert "onebox.stack-test" in await admin.list_topics()
    finally:
        await admin.delete_topics(["onebox.stack-test"])
        await admin.close()


def test_whatever_its_identity_a_broker_gets_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in sixty-four begins with a dash, as an option does."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xfb" * 16))

    kafka_server.initialise(kafka_server.fetch(), tmp_path / "kafka")

    assert (tmp_path / "kafka").is_dir()
