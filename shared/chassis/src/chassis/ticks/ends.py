"""Where the topics that a service follows end now, asked of the broker by a client that reads nothing."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer

from chassis.consumers.fences import TopicPartition

type Ends = Mapping[TopicPartition, int]

_KEPT: Final = 30.0


class Log:
    """The log of some topics. Connected when it is asked, and for half a minute more."""

    def __init__(self, topics: Iterable[str], *, kafka: str, client_id: str) -> None:
        self._topics = sorted(topics)
        self._kafka = kafka
        self._client_id = client_id
        self._client: AIOKafkaConsumer | None = None
        self._asked = 0.0

    async def ends(self) -> Ends:
        """Of every partition that holds anything, the offset after its last record.

        Raises:
            KafkaError, OSError: the broker does not say.
        """
        self._asked = time.monotonic()
        client = self._client or await self._connect()
        places = client.assignment()
        firsts, ends = await client.beginning_offsets(places), await client.end_offsets(places)
        return {(place.topic, place.partition): ends[place] for place in places if ends[place] > firsts[place]}

    async def rest(self) -> None:
        """Let the connection go when nobody has asked for a while."""
        if self._client is not None and time.monotonic() - self._asked > _KEPT:
            await self.close()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def _connect(self) -> AIOKafkaConsumer:
        client = AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=self._kafka,
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        client.pause(*client.assignment())
        self._client = client
        return client
