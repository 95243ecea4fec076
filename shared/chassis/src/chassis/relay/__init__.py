"""The relay: takes what transactions told from the outbox to Kafka, at least once, in order per entity.

One relay per service leads, by a lock on a connection of its own. It reads a wave of rows,
publishes it, waits for the broker and deletes exactly what was acknowledged. A leader that
slept and wakes is refused by the broker, because its successor raised the producer's epoch;
so the last record of a key is always its newest version.
"""

from chassis.relay.leading import Relay

__all__ = ["Relay"]
