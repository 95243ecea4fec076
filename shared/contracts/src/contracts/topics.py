"""Topics: what ``deploy/topics.yaml`` says about each, as plain data.

The file is the one truth about which topics there are and how long each keeps what it was
told. Reading it is strict: an unknown setting or teller is refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints

type Teller = Literal["customers", "licensing", "reporting", "notifications", "products", "any"]
type Key = Literal["customer_else_partner", "entity"]
type Retention = timedelta | Literal["forever"]
type TopicName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*\.[a-z][a-z_]*(\.v[0-9]+)?$")]

FILE: Final = Path("deploy/topics.yaml")


class UnknownTopic(LookupError):
    """``deploy/topics.yaml`` has no such topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """One topic as it should be. ``config`` holds Kafka's own settings of a topic, by name."""

    name: str
    teller: Teller
    key: Key
    billing: bool
    state: bool
    retention: timedelta | None
    """How long a record is kept; None is for ever (a state: until the entity's next record)."""
    partitions: int
    config: dict[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _FactDefaults(_Strict):
    key: Key
    retention: Retention
    segment: timedelta


class _BillingDefaults(_Strict):
    retention: Retention
    segment: timedelta


class _Compaction(_Strict):
    min_compaction_lag: timedelta
    max_compaction_lag: timedelta


class _StateDefaults(_Compaction):
    key: Key
    delete_retention: timedelta


class _Defaults(_Strict):
    partitions: PositiveInt
    max_message_bytes: PositiveInt
    facts: _FactDefaults
    billing: _BillingDefaults
    states: _StateDefaults
    access: _Compaction


class _Fact(_Strict):
    teller: Teller
    billing: bool = False
    retention: Retention | None = None


class _State(_Strict):
    teller: Teller
    access: bool = False


class _File(_Strict):
    defaults: _Defaults
    facts: dict[TopicName, _Fact]
    states: dict[TopicName, _State]


def load(path: Path | None = None) -> tuple[TopicSpec, ...]:
    """Every topic of the file at ``path``, else of the nearest ``deploy/topics.yaml`` (see ``find``).

    Raises:
        FileNotFoundError: there is no such file.
        pydantic.ValidationError: the file says something that no topic has.
    """
    file = _File.model_validate(yaml.safe_load((path or find()).read_text(encoding="utf-8")))
    facts = [_fact(name, line, file.defaults) for name, line in file.facts.items()]
    return (*facts, *(_state(name, line, file.defaults) for name, line in file.states.items()))


def find(start: Path | None = None) -> Path:
    """``deploy/topics.yaml`` in ``start`` (else the working directory) or the nearest folder above it."""
    beginning = (start or Path.cwd()).resolve()
    for folder in (beginning, *beginning.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise FileNotFoundError(f"no {FILE} in {beginning} or above it")


def pick(topics: Iterable[TopicSpec], names: Sequence[str]) -> list[TopicSpec]:
    """The topics of these names, in their order.

    Raises:
        UnknownTopic: one is not among ``topics``.
    """
    known = {topic.name: topic for topic in topics}
    if missing := [name for name in names if name not in known]:
        raise UnknownTopic(", ".join(missing))
    return [known[name] for name in names]


def _fact(name: str, line: _Fact, defaults: _Defaults) -> TopicSpec:
    kept = defaults.billing if line.billing else defaults.facts
    said = line.retention or kept.retention
    retention = None if said == "forever" else said
    return TopicSpec(
        name=name,
        teller=line.teller,
        key=defaults.facts.key,
        billing=line.billing,
        state=False,
        retention=retention,
        partitions=defaults.partitions,
        config={
            "cleanup.policy": "delete",
            "retention.ms": _milliseconds(retention) if retention else "-1",
            "retention.bytes": "-1",
            "segment.ms": _milliseconds(kept.segment),
            "max.message.bytes": str(defaults.max_message_bytes),
        },
    )


def _state(name: str, line: _State, defaults: _Defaults) -> TopicSpec:
    lags = defaults.access if line.access else defaults.states
    return TopicSpec(
        name=name,
        teller=line.teller,
        key=defaults.states.key,
        billing=False,
        state=True,
        retention=None,
        partitions=defaults.partitions,
        config={
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": _milliseconds(lags.min_compaction_lag),
            "max.compaction.lag.ms": _milliseconds(lags.max_compaction_lag),
            "delete.retention.ms": _milliseconds(defaults.states.delete_retention),
            "max.message.bytes": str(defaults.max_message_bytes),
        },
    )


def _milliseconds(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))
