"""``deploy/topics.yaml`` has every topic and keeps each as long as it was promised.

What billing relies on stays for ever, what may name a person at most 35 days.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from contracts import topics
from contracts.catalogue import RECORDS
from contracts.records import Fact, Record
from contracts.schemas import personal_fields, schema_of
from contracts.topics import TopicSpec, UnknownTopic


def listed(text: str) -> list[str]:
    return text.split()


FACTS = listed("""
partner.registered partner.updated partner.disabled partner.enabled partner.clock_advanced partner.clock_reached
credential.link_requested session.ended consent.recorded
user.created user.updated user.disabled role.created role.updated role.deleted
customer.review_opened customer.review_cleared customer.review_rejected customer.updated
customer.import_requested customer.imported customer.import_declined customer.import_expired
customer.management_requested customer.management_changed customer.management_declined customer.management_expired
customer.erased customer.released customer.deletion_cleared customer.deletion_blocked customer.tagged customer.moved
console_session.started console_session.ended provisioning.rejected entitlement.threshold_reached renewal.decision_due
template.assigned policy.deployment_requested policy.deployment_finished firmware.update_requested firmware.update_finished
endpoint.reported threat.detected intrusion.detected firewall.event_logged product.deployment_acknowledged
report.requested report.ready report.failed report.delivery_requested
alert.raised alert.dismissed news.published notification.sent notification.failed notification.suppressed
case.opened case.updated case.closed webhook.paused job.finished audit.recorded
""")
BILLING = listed("""
programme.activated programme.ended offer.published price_book.published customer.created
customer.disabled customer.enabled customer.unlinked customer.deletion_requested customer.deleted customer.purged eula.accepted
trial.started trial.ending trial.expired trial.converted trial.cancelled trial.paused trial.extended
subscription.activated subscription.renewed subscription.cancel_scheduled subscription.cancelled subscription.expired
subscription.suspended subscription.resumed subscription.terminated subscription.cancel_withdrawn
subscription.quantity_changed subscription.renewal_quantity_changed subscription.plan_changed subscription.change_scheduled
subscription.change_revoked subscription.change_superseded seat.assigned seat.released seat.reclaimed
usage.recorded usage.corrected usage.rejected usage.period_closed billing.line_rated billing.statement_ready
budget.threshold_reached overdue.state_changed order.approval_requested order.approved order.declined
""")
ACCESS = ["partner.changed", "user.changed", "role.changed", "customer.changed"]
STATES = [*ACCESS, "programme.changed", "offer.changed", "subscription.changed", "alert.changed", "case.changed"]
DAY = 24 * 60 * 60 * 1000
FILE = topics.find(Path(__file__).parent)


@pytest.fixture(scope="module")
def specs() -> dict[str, TopicSpec]:
    return {topic.name: topic for topic in topics.load(FILE)}


def test_every_topic_is_there_and_no_other(specs: dict[str, TopicSpec]) -> None:
    assert sorted(specs) == sorted([*FACTS, *BILLING, *STATES])
    assert len(specs) == len([*FACTS, *BILLING, *STATES])


def test_what_billing_relies_on_is_kept_for_ever(specs: dict[str, TopicSpec]) -> None:
    assert sorted(name for name, topic in specs.items() if topic.billing) == sorted(BILLING)
    for name in BILLING:
        assert specs[name].retention is None
        assert specs[name].config["cleanup.policy"] == "delete"
        assert specs[name].config["retention.ms"] == "-1"
        assert specs[name].config["retention.bytes"] == "-1"


def test_the_audit_is_kept_400_days_and_every_other_fact_35(specs: dict[str, TopicSpec]) -> None:
    kept = {name: specs[name].config["retention.ms"] for name in FACTS}

    assert kept.pop("audit.recorded") == str(400 * DAY)
    assert set(kept.values()) == {str(35 * DAY)}
    assert {specs[name].config["cleanup.policy"] for name in FACTS} == {"delete"}


def test_a_day_is_the_most_by_which_a_fact_outlives_its_35_days(specs: dict[str, TopicSpec]) -> None:
    assert {specs[name].config["segment.ms"] for name in FACTS} == {str(DAY)}


def test_states_are_compacted_by_entity_and_a_new_reader_has_a_week(specs: dict[str, TopicSpec]) -> None:
    for name in STATES:
        config = specs[name].config
        assert specs[name].key == "entity"
        assert config["cleanup.policy"] == "compact"
        assert config["min.compaction.lag.ms"] == ("0" if name in ACCESS else str(7 * DAY))
        assert config["max.compaction.lag.ms"] == str(60 * 60 * 1000 if name in ACCESS else 8 * DAY)
        assert config["delete.retention.ms"] == str(30 * DAY)


def test_facts_are_keyed_by_the_customer_else_the_partner(specs: dict[str, TopicSpec]) -> None:
    assert {specs[name].key for name in [*FACTS, *BILLING]} == {"customer_else_partner"}


def test_all_topics_have_the_same_number_of_partitions(specs: dict[str, TopicSpec]) -> None:
    assert {topic.partitions for topic in specs.values()} == {12}
    assert {topic.config["max.message.bytes"] for topic in specs.values()} == {str(2**20)}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
def test_a_record_goes_to_a_topic_of_its_own_teller_and_kind(record: type[Record], specs: dict[str, TopicSpec]) -> None:
    topic = specs[record.topic]

    assert topic.teller in {record.__module__.split(".")[1], "any"}
    assert topic.state is not issubclass(record, Fact)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
def test_no_person_stands_in_a_topic_that_is_kept_longer_than_35_days(record: type[Record], specs: dict[str, TopicSpec]) -> None:
    topic = specs[record.topic]
    short = topic.retention is not None and topic.retention <= timedelta(days=35)

    assert topic.state or short or personal_fields(schema_of(record)) == []


def test_the_file_names_no_topic_twice() -> None:
    document = yaml.compose(FILE.read_text(encoding="utf-8"))
    names = [name for name in _keys(document) if "." in name]

    assert len(names) == len(set(names))


def test_the_file_is_found_from_any_folder_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    assert topics.find() == FILE

    with pytest.raises(FileNotFoundError, match=r"deploy/topics\.yaml"):
        topics.find(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("teller: customers}", "teller: nobody}"),
        ("retention: P400D", "retention: a while"),
        ("retention: P400D", "compact: true"),
        ("partner.registered:", "PartnerRegistered:"),
        ("partitions: 12", "partitions: 0"),
    ],
)
def test_what_the_file_may_not_say_is_refused(tmp_path: Path, before: str, after: str) -> None:
    changed = tmp_path / "topics.yaml"
    changed.write_text(FILE.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")

    with pytest.raises(ValidationError):
        topics.load(changed)


def test_topics_are_picked_by_name(specs: dict[str, TopicSpec]) -> None:
    assert topics.pick(specs.values(), ["trial.started", "audit.recorded"]) == [specs["trial.started"], specs["audit.recorded"]]

    with pytest.raises(UnknownTopic, match=r"trial\.begun"):
        topics.pick(specs.values(), ["trial.begun", "trial.started"])


def _keys(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value
            yield from _keys(value)
