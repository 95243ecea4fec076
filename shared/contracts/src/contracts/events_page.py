"""The event catalogue for readers: one table of topics in Markdown, and the words that it shares with the AsyncAPI document."""

import inspect
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from contracts import topics
from contracts.catalogue import BY_TOPIC
from contracts.records import Record, State
from contracts.topics import TopicSpec

_KEYS: Final = {"customer_else_partner": "customer, else partner", "entity": "entity"}
_HEAD: Final = """# Events

What the services tell, topic by topic. Generated from the contracts and `deploy/topics.yaml` by `make docs`; the whole of it, with headers,
payload schemas and samples, is in [asyncapi.json](asyncapi.json) (AsyncAPI 3.0), which the gateway serves too, at `/events.json`.

- Every record is a CloudEvent 1.0 in Kafka's binary mode: attributes are `ce_*` headers, the value is JSON.
- It is told at least once, always under the same `ce_id`, and per entity in the order of `ce_aggregateversion`.
- A **fact** says what happened. A **state** carries the whole of one entity as it is; its topic is compacted, an empty value is the end.
- A state topic carries **beats** too (`ce_type` and key `beat`, value `{}`): all that was true at a beat's `ce_time` stands before it in
  its partition. It says nothing else: skip it by its type. For partners, users, roles and customers it comes each second, else each hour.
- One customer is in one partition, the same in every topic, whatever the key.
- A contract may gain optional fields and nothing else. What would break a reader gets a topic of its own, `.v2`, beside the first.
"""


def page(specs: Iterable[TopicSpec]) -> str:
    """The whole page."""
    known = list(specs)
    told = topics.pick(known, list(BY_TOPIC))
    reserved = sorted(topic.name for topic in known if topic.name not in BY_TOPIC)
    return "\n".join([*_lines(told), "", *_reserved(reserved)])


def title(record: type[Record]) -> str:
    """``Customer review opened`` for ``customer.review_opened``."""
    return record.topic.removesuffix(f".v{_version(record.topic)}").replace(".", " ").replace("_", " ").capitalize()


def summary(record: type[Record]) -> str:
    """What it says, in one sentence or two: the first paragraph of its docstring, else of its state's, after its title."""
    said = _paragraph(record) or _paragraph(_state(record))
    return " ".join(filter(None, (f"{title(record)}.", said)))


def key(topic: TopicSpec) -> str:
    return _KEYS[topic.key]


def kept(topic: TopicSpec) -> str:
    """How long, in words."""
    if topic.state:
        return "the newest of each entity"
    return f"{topic.retention // timedelta(days=1)} days" if topic.retention else "for ever"


def _lines(told: list[TopicSpec]) -> Iterator[str]:
    yield _HEAD
    yield "| Topic | Told by | What | Key | Kept | Version |"
    yield "|---|---|---|---|---|---|"
    for topic in told:
        record = BY_TOPIC[topic.name]
        billing = " (billing)" if topic.billing else ""
        cells = (f"`{topic.name}`", topic.teller, summary(record), key(topic), kept(topic) + billing, _version(topic.name))
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _reserved(names: list[str]) -> Iterator[str]:
    if names:
        yield "Reserved: these topics are created with the others, and nothing is told to them."
        yield ""
        yield ", ".join(f"`{name}`" for name in names)
        yield ""


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _paragraph(model: type | None) -> str:
    """The first paragraph of a class's own docstring, on one line."""
    own = (vars(model).get("__doc__") or "") if model else ""
    return " ".join(inspect.cleandoc(own).partition("\n\n")[0].split())


def _state(record: type[Record]) -> type | None:
    if not issubclass(record, State):
        return None
    shown: Any = record.model_fields["state"].annotation
    return shown if isinstance(shown, type) else None


def _version(topic: str) -> str:
    found = re.search(r"\.v([0-9]+)$", topic)
    return found[1] if found else "1"
