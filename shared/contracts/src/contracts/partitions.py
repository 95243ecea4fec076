"""Which partition a record goes to: murmur2, as the Java client computes it."""

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
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length - length % 4
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little")
        k = (k * _M) & _MASK
        k ^= k >> 24
        k = (k * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    if tail := data[whole:]:
        h ^= int.from_bytes(tail, "little")
        h = (h * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)
