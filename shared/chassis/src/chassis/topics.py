"""Topics in Kafka, brought to what ``deploy/topics.yaml`` says.

A plan is made first and shown; nothing is done when it holds a refusal. Partitions are never
changed in place: the customer decides the partition, so the records told before would lie
where nobody looks for them. Settings that the file does not name are left as they are.

    python -m chassis.topics plan|apply --kafka HOST:PORT
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code
from pydantic import ValidationError

from contracts.topics import TopicSpec, load

_SET_ON_TOPIC: Final = 1
"""Kafka's ``ConfigSource.DYNAMIC_TOPIC_CONFIG``: said for the topic itself, no broker's default."""
_BROKERS_CHOICE: Final = -1
_PATIENCE: Final = 30.0
_POLL: Final = 0.05
_OWNED: Final = frozenset(
    {
        "cleanup.policy",
        "delete.retention.ms",
        "max.compaction.lag.ms",
        "max.message.bytes",
        "min.compaction.lag.ms",
        "retention.bytes",
        "retention.ms",
        "segment.ms",
    }
)
"""The settings that belong to the file: one that a topic's entry leaves out is taken back to the broker's default."""


class Action(StrEnum):
    CREATE = "create"
    ALTER = "alter"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one topic (``name`` with prefix), and why."""

    name: str
    action: Action
    detail: str = ""
    partitions: int = 0
    config: Mapping[str, str] = field(default_factory=dict)
    """Every setting the topic will have of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]

    def of(self, action: Action) -> list[Step]:
        return [step for step in self.steps if step.action is action]

    def __str__(self) -> str:
        lines = [f"{step.action:<9} {step.name}  {step.detail}".rstrip() for step in self.steps if step.action is not Action.UNCHANGED]
        counts = ", ".join(f"{len(self.of(action))} {action}" for action in Action if self.of(action))
        return "\n".join([*lines, f"{len(self.steps)} topics: {counts or 'none'}"])


class TopicsRefused(Exception):
    """Some topics cannot become what was asked for without losing the order of what was told."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("\n".join(f"{step.name}: {step.detail}" for step in plan.of(Action.REFUSED)))


async def plan(kafka: str, topics: Sequence[TopicSpec], *, prefix: str = "", partitions: int | None = None) -> Plan:
    """What ``ensure`` would do."""
    async with _admin(kafka) as admin:
        return await _plan(admin, topics, prefix, partitions)


async def ensure(kafka: str, topics: Sequence[TopicSpec], *, prefix: str = "", partitions: int | None = None) -> Plan:
    """Create and alter until the broker has these topics and every partition has a leader. Doing it again does nothing.

    ``kafka`` is ``host:port``; ``partitions`` replaces what each topic asks for.

    Raises:
        TopicsRefused: a topic is there with another number of partitions; nothing was done.
        KafkaError: the broker refused, or is not there.
    """
    deadline = time.monotonic() + _PATIENCE
    async with _admin(kafka) as admin:
        while True:
            wanted = await _plan(admin, topics, prefix, partitions)
            try:
                await _apply(admin, wanted)
            except TopicAlreadyExistsError:  # somebody else creates them at this moment
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_POLL)
            else:
                await _await_leaders(admin, {step.name for step in wanted.steps}, deadline)
                return wanted


async def _plan(admin: AIOKafkaAdminClient, topics: Sequence[TopicSpec], prefix: str, partitions: int | None) -> Plan:
    existing = await _leaders(admin)
    said = await _settings(admin, [name for name in (prefix + topic.name for topic in topics) if name in existing])
    steps = []
    for topic in topics:
        name = prefix + topic.name
        asked = partitions or topic.partitions
        if name in existing:
            steps.append(_compared(topic, name, asked, len(existing[name]), said[name]))
        else:
            settings = " ".join(f"{key}={value}" for key, value in topic.config.items())
            steps.append(Step(name, Action.CREATE, f"{asked} partitions, {settings}", asked, topic.config))
    return Plan(tuple(steps))


def _compared(topic: TopicSpec, name: str, asked: int, there: int, said: Mapping[str, str]) -> Step:
    if there != asked:
        return Step(
            name,
            Action.REFUSED,
            f"it has {there} partitions and {asked} are asked for: partitions are never changed in place, because the customer decides "
            f"the partition; either ask for {there} (--partitions), or move everything to topics of another prefix",
        )
    owned = {key: value for key, value in said.items() if key in _OWNED}
    if owned == topic.config:
        return Step(name, Action.UNCHANGED, partitions=there, config=said)
    changes = [
        f"{key} {owned.get(key, 'unset')} -> {topic.config.get(key, 'unset')}"
        for key in sorted(owned.keys() | topic.config.keys())
        if owned.get(key) != topic.config.get(key)
    ]
    others = {key: value for key, value in said.items() if key not in _OWNED}
    return Step(name, Action.ALTER, ", ".join(changes), there, others | topic.config)


async def _apply(admin: AIOKafkaAdminClient, wanted: Plan) -> None:
    if wanted.of(Action.REFUSED):
        raise TopicsRefused(wanted)
    if new := wanted.of(Action.CREATE):
        made = await admin.create_topics(
            [NewTopic(step.name, step.partitions, _BROKERS_CHOICE, replica_assignments={}, topic_configs=step.config) for step in new]
        )
        for name, code, message in made.topic_errors:
            _accept(name, code, message)
    if altered := wanted.of(Action.ALTER):
        resources = [ConfigResource(ConfigResourceType.TOPIC, step.name, dict(step.config)) for step in altered]
        for answer in await admin.alter_configs(resources):
            for code, message, _, name in answer.resources:
                _accept(name, code, message)


async def _await_leaders(admin: AIOKafkaAdminClient, names: set[str], deadline: float) -> None:
    while missing := names - {name for name, leaders in (await _leaders(admin)).items() if all(leader >= 0 for leader in leaders)}:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"no leader yet for {', '.join(sorted(missing))}")
        await asyncio.sleep(_POLL)


async def _leaders(admin: AIOKafkaAdminClient) -> dict[str, list[int]]:
    """The leader of each partition of every topic there is; asked for all, because asking for one by name may create it."""
    described = await admin.describe_topics()
    return {topic["topic"]: [partition["leader"] for partition in topic["partitions"]] for topic in described}


async def _settings(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """What was said for each topic itself, without the broker's defaults."""
    said: dict[str, dict[str, str]] = {}
    if not names:
        return said
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names]):
        for code, message, _, name, entries in answer.resources:
            _accept(name, code, message)
            said[name] = {key: value for key, value, _, source, *_ in entries if source == _SET_ON_TOPIC}
    return said


def _accept(name: str, code: int, message: str | None) -> None:
    if code:
        raise for_code(code)(f"{name}: {message or 'refused'}")


@asynccontextmanager
async def _admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


app: Final = typer.Typer(no_args_is_help=True, add_completion=False, help="Bring Kafka's topics to what deploy/topics.yaml says.")

_Kafka = Annotated[str, typer.Option(help="The broker, as HOST:PORT.")]
_Prefix = Annotated[str, typer.Option(envvar="PARTNERDECK_TOPIC_PREFIX", help="Put before every topic's name.")]
_Partitions = Annotated[int | None, typer.Option(min=1, help="Partitions of every topic, in place of what the file says.")]
_File = Annotated[Path | None, typer.Option(help="The topics; without it the nearest deploy/topics.yaml above the working directory.")]


@app.command("plan")
def _plan_command(kafka: _Kafka, prefix: _Prefix = "", partitions: _Partitions = None, file: _File = None) -> None:
    """Show what would be done. Fails when a topic cannot become what was asked for."""
    _show(kafka, prefix, partitions, file)


@app.command("apply")
def _apply_command(kafka: _Kafka, prefix: _Prefix = "", partitions: _Partitions = None, file: _File = None) -> None:
    """Show what will be done, and do it."""
    topics = _show(kafka, prefix, partitions, file)
    with _failing_clearly():
        asyncio.run(ensure(kafka, topics, prefix=prefix, partitions=partitions))


def _show(kafka: str, prefix: str, partitions: int | None, file: Path | None) -> Sequence[TopicSpec]:
    with _failing_clearly():
        topics = load(file)
        wanted = asyncio.run(plan(kafka, topics, prefix=prefix, partitions=partitions))
    typer.echo(wanted)
    if wanted.of(Action.REFUSED):
        raise typer.Exit(1)
    return topics


@contextmanager
def _failing_clearly() -> Iterator[None]:
    try:
        yield
    except (OSError, ValidationError, KafkaError, TopicsRefused) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
