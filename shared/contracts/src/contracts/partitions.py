"""Which partition a record goes to: murmur2, as the Java client computes it."""

from struct import unpack_from
from typing import Final
from uuid import UUID

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def partition_for(key: UUID, partitions: int) -> int:
    """The partition of ``key`` (a customer's id, else a partner's) among ``partitions``.

    The same in every topic, so one customer meets one worker, whatever the topic. It equals
    what Kafka's default partitioner gives for the text of the id.
    """
    return (_murmur2(str(key).encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    size = len(data)
    h = (_SEED ^ size) & _MASK
    for k in unpack_from(f"<{size // 4}I", data):
        mixed = k * _M & _MASK
        h = (h * _M ^ (mixed ^ mixed >> 24) * _M) & _MASK
    if tail := data[size - size % 4 :]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
