"""Kafka's topics become what the file says, after the plan was shown, and doing it again does nothing.

What cannot be changed without losing the order of what was told is refused before anything is done.
"""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.topics import Action, Plan, TopicsRefused, ensure, plan
from contracts.topics import find, load, pick

FILE = find(Path(__file__).parent)
ALL = load(FILE)
FACT, BILLING, STATE = pick(ALL, ["partner.registered", "trial.converted", "customer.changed"])


@pytest.fixture
def prefix() -> str:
    return f"topics-{uuid4().hex[:8]}."


def actions(made: Plan) -> list[Action]:
    return [step.action for step in made.steps]


async def settings(kafka: str, name: str) -> dict[str, str]:
    """Every setting of the topic as the broker applies it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {entry[0]: entry[1] for *_, entries in answer.resources for entry in entries}
    finally:
        await admin.close()


async def set_by_hand(kafka: str, name: str, config: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, config)])
    finally:
        await admin.close()


async def test_missing_topics_are_created_as_the_file_says(kafka: str, prefix: str) -> None:
    made = await ensure(kafka, [FACT, BILLING, STATE], prefix=prefix, partitions=2)

    assert actions(made) == [Action.CREATE] * 3
    for topic in (FACT, BILLING, STATE):
        assert (await settings(kafka, prefix + topic.name)).items() >= topic.config.items()


async def test_doing_it_again_does_nothing(kafka: str, prefix: str) -> None:
    await ensure(kafka, [FACT, STATE], prefix=prefix, partitions=2)

    again = await ensure(kafka, [FACT, STATE], prefix=prefix, partitions=2)

    assert actions(again) == [Action.UNCHANGED] * 2


async def test_a_plan_changes_nothing(kafka: str, prefix: str) -> None:
    planned = await plan(kafka, [FACT], prefix=prefix, partitions=2)

    assert actions(planned) == [Action.CREATE]
    assert actions(await plan(kafka, [FACT], prefix=prefix, partitions=2)) == [Action.CREATE]
    assert f"create    {prefix}partner.registered  2 partitions, cleanup.policy=delete retention.ms=3024000000" in str(planned)


async def test_a_changed_setting_is_altered_and_said_before(kafka: str, prefix: str) -> None:
    await ensure(kafka, [FACT, STATE], prefix=prefix, partitions=2)
    shorter = replace(FACT, config=FACT.config | {"retention.ms": "60000"})

    planned = await plan(kafka, [shorter, STATE], prefix=prefix, partitions=2)
    await ensure(kafka, [shorter, STATE], prefix=prefix, partitions=2)

    assert actions(planned) == [Action.ALTER, Action.UNCHANGED]
    assert planned.steps[0].detail == "retention.ms 3024000000 -> 60000"
    assert (await settings(kafka, prefix + FACT.name))["retention.ms"] == "60000"


async def test_what_somebody_set_by_hand_goes_only_where_the_file_says_otherwise(kafka: str, prefix: str) -> None:
    await ensure(kafka, [STATE], prefix=prefix, partitions=2)
    await set_by_hand(kafka, prefix + STATE.name, {"cleanup.policy": "delete", "retention.ms": "1000", "compression.type": "lz4"})

    await ensure(kafka, [STATE], prefix=prefix, partitions=2)

    now = await settings(kafka, prefix + STATE.name)
    assert now.items() >= STATE.config.items()
    assert now["retention.ms"] != "1000"
    assert now["compression.type"] == "lz4"
    assert actions(await plan(kafka, [STATE], prefix=prefix, partitions=2)) == [Action.UNCHANGED]


async def test_partitions_are_never_changed_in_place(kafka: str, prefix: str) -> None:
    await ensure(kafka, [FACT], prefix=prefix, partitions=2)

    with pytest.raises(TopicsRefused, match=r"it has 2 partitions and 3 are asked for: partitions are never changed in place"):
        await ensure(kafka, [FACT, BILLING], prefix=prefix, partitions=3)

    assert actions(await plan(kafka, [FACT, BILLING], prefix=prefix, partitions=2)) == [Action.UNCHANGED, Action.CREATE]


async def test_two_who_create_the_same_topics_at_once_both_succeed(kafka: str, prefix: str) -> None:
    topics = [replace(FACT, name=f"partner.number_{number}") for number in range(5)]

    await asyncio.gather(*(ensure(kafka, topics, prefix=prefix, partitions=1) for _ in range(4)))

    assert actions(await plan(kafka, topics, prefix=prefix, partitions=1)) == [Action.UNCHANGED] * 5


async def test_a_prefix_keeps_topics_apart(kafka: str, prefix: str) -> None:
    await ensure(kafka, [FACT], prefix=prefix, partitions=1)

    assert actions(await plan(kafka, [FACT], prefix=f"{prefix}other.", partitions=1)) == [Action.CREATE]


def command(verb: str, *options: str, prefix: str = "", folder: Path = FILE.parent) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "chassis.topics", verb, *options],
        cwd=folder,
        env=os.environ | {"PARTNERDECK_TOPIC_PREFIX": prefix, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_shows_its_plan_does_it_and_has_nothing_left_to_do(kafka: str, prefix: str, tmp_path: Path) -> None:
    file = a_file(tmp_path)
    options = ("--kafka", kafka, "--partitions", "2", "--file", str(file))

    planned, applied, again = (command(verb, *options, prefix=prefix) for verb in ("plan", "apply", "apply"))

    assert (planned.returncode, applied.returncode, again.returncode) == (0, 0, 0), applied.stderr
    assert planned.stdout == applied.stdout
    assert f"create    {prefix}partner.registered  2 partitions" in applied.stdout
    assert applied.stdout.endswith("2 topics: 2 create\n")
    assert again.stdout == "2 topics: 2 unchanged\n"


def test_the_command_refuses_other_partitions_and_says_what_to_do(kafka: str, prefix: str, tmp_path: Path) -> None:
    file = a_file(tmp_path)
    command("apply", "--kafka", kafka, "--partitions", "2", "--file", str(file), prefix=prefix)

    refused = command("apply", "--kafka", kafka, "--file", str(file), prefix=prefix)

    assert refused.returncode == 1
    assert f"refused   {prefix}partner.registered  it has 2 partitions and 12 are asked for" in refused.stdout
    assert "--partitions" in refused.stdout


def test_the_command_plans_every_topic_of_the_nearest_file(kafka: str, prefix: str) -> None:
    planned = command("plan", "--kafka", kafka, prefix=prefix)

    assert planned.stdout.endswith(f"{len(ALL)} topics: {len(ALL)} create\n"), planned.stderr


def test_the_command_says_what_is_wrong_in_a_line(tmp_path: Path) -> None:
    no_file = command("plan", "--kafka", "127.0.0.1:1", folder=tmp_path)
    no_broker = command("apply", "--kafka", "127.0.0.1:1")

    assert (no_file.returncode, no_broker.returncode) == (1, 1)
    assert "FileNotFoundError: no deploy/topics.yaml in" in no_file.stderr
    assert "KafkaConnectionError" in no_broker.stderr
    assert "Traceback" not in no_file.stderr + no_broker.stderr


def a_file(folder: Path) -> Path:
    """The file with one fact and one state only."""
    head = FILE.read_text(encoding="utf-8").partition("\nfacts:")[0]
    file = folder / "topics.yaml"
    file.write_text(
        f"{head}\nfacts:\n  partner.registered: {{teller: customers}}\nstates:\n  offer.changed: {{teller: licensing}}\n", encoding="utf-8"
    )
    return file
