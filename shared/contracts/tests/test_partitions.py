"""One customer meets one worker: every client computes the same partition from the customer's id."""

from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from contracts.partitions import partition_for


@given(st.uuids(), st.integers(1, 64))
def test_the_partition_is_the_one_that_kafkas_own_partitioner_chooses(key: UUID, count: int) -> None:
    partitions = list(range(count))

    assert partition_for(key, count) == DefaultPartitioner()(str(key).encode(), partitions, partitions)


def test_customers_spread_over_all_partitions() -> None:
    met = {partition_for(UUID(int=number), 12) for number in range(500)}

    assert met == set(range(12))
