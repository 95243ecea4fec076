"""Read models: the tables that projections keep together, which can only be rebuilt together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chassis.consumers.handlers import Consumer, Projection
from chassis.errors import Kind, Refusal


class NoSuchReadModel(Refusal):
    """No projection of this service keeps such a table."""

    kind = Kind.NOT_FOUND
    code = "no_such_read_model"
    remedy = "List what can be rebuilt."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadModel:
    """Tables, the projections that keep them, and the consumer group whose projections those are."""

    group: str
    tables: tuple[str, ...]
    projections: tuple[Projection[Any], ...]

    @property
    def name(self) -> str:
        return self.tables[0]

    @property
    def topics(self) -> list[str]:
        return self.consumer.topics()

    @property
    def consumer(self) -> Consumer:
        """Who fills the second tables: the same projections under a name of their own."""
        return Consumer(group=f"{self.group} rebuilds {self.name}", handlers=self.projections)


def read_models(consumers: Sequence[Consumer]) -> list[ReadModel]:
    """Every read model of a service. Projections that keep a table together make one."""
    return [model for consumer in consumers for model in _of(consumer)]


def find(consumers: Sequence[Consumer], name: str) -> ReadModel:
    """The read model with a table of this name.

    Raises:
        NoSuchReadModel: there is none.
    """
    known = read_models(consumers)
    for model in known:
        if name in model.tables:
            return model
    tables = sorted(table for model in known for table in model.tables)
    raise NoSuchReadModel(f"no projection keeps {name}", remedy=f"There are: {', '.join(tables) or 'none'}.")


def _of(consumer: Consumer) -> list[ReadModel]:
    found: list[ReadModel] = []
    for handler in consumer.handlers:
        if isinstance(handler, Projection) and handler.keeps:
            touched = [model for model in found if not set(model.tables).isdisjoint(handler.keeps)]
            tables = dict.fromkeys((*(table for model in touched for table in model.tables), *handler.keeps))
            projections = (*(one for model in touched for one in model.projections), handler)
            found = [model for model in found if model not in touched]
            found.append(ReadModel(group=consumer.group, tables=tuple(tables), projections=projections))
    return found
