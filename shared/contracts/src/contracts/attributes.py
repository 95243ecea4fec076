"""The envelope as JSON Schema: the headers of a record as an event catalogue shows them.

It says what ``contracts.envelope`` writes and reads; a test holds the two together.
"""

from typing import Any, Final

from contracts.envelope import JSON, SPEC_VERSION
from contracts.records import Record, schema_id

EVERYBODY: Final = "any"
"""Stands for a teller where every service tells the same, each in its own name."""

PRODUCTS: Final = "products"
"""Stands for the connectors of products, outside the suite: each is a source of its own."""

_ID: Final = {"type": "string", "format": "uuid"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_TEXT: Final = {"type": "string", "minLength": 1}

_ALWAYS: Final[dict[str, dict[str, Any]]] = {
    "ce_specversion": {"type": "string", "const": SPEC_VERSION.decode(), "description": "The version of CloudEvents."},
    "content-type": {"type": "string", "const": JSON.decode()},
    "ce_id": _ID | {"description": "Made when the record is told and the same however often it arrives: readers drop what they know."},
    "ce_source": _TEXT | {"description": "The service that tells it."},
    "ce_type": _TEXT | {"description": "What it is: the topic's name, without an installation's prefix."},
    "ce_time": _INSTANT | {"description": "When it was told, in real time."},
    "ce_subject": _ID | {"description": "The entity it is about."},
    "ce_partitionkey": _ID | {"description": "What decides the partition in every topic: the customer, else the partner."},
    "ce_dataschema": _TEXT | {"description": "The published schema of the value."},
    "ce_partnerid": _ID | {"description": "The partner whose it is."},
    "ce_dataregion": _TEXT | {"description": "The region in which the customer's data may be kept."},
    "ce_aggregatetype": _TEXT | {"description": "The kind of entity."},
    "ce_aggregateversion": {
        "type": "string",
        "pattern": "^[0-9]{1,19}$",
        "description": "The version that the transaction gave the entity; rises with every change.",
    },
    "ce_effectivetime": _INSTANT | {"description": "When it happened in business time; a sandbox lives ahead."},
    "ce_sandbox": {"type": "string", "enum": ["true", "false"], "description": "Whether it is play: billing skips what is."},
}
_SOMETIMES: Final[dict[str, dict[str, Any]]] = {
    "ce_customerid": _ID | {"description": "The customer it concerns, if one."},
    "ce_causationid": _TEXT | {"description": "The events that led to it, joined by commas."},
    "ce_correlationid": _TEXT | {"description": "The request or work item at the beginning of it all."},
    "traceparent": _TEXT | {"description": "W3C trace context."},
}


def schema() -> dict[str, Any]:
    """The headers of any record, as a JSON Schema."""
    return {
        "type": "object",
        "title": "CloudEvent",
        "description": "CloudEvents 1.0 attributes and Partnerdeck's extensions, as Kafka headers in UTF-8.",
        "properties": _ALWAYS | _SOMETIMES,
        "required": sorted(_ALWAYS),
    }


def constants(record: type[Record]) -> dict[str, str]:
    """The headers that are the same in every record of one topic."""
    source = {} if teller(record) in {EVERYBODY, PRODUCTS} else {"ce_source": f"/{teller(record)}"}
    return {
        "ce_type": record.topic,
        **source,
        "ce_dataschema": schema_id(record.topic),
        "ce_aggregatetype": record.aggregate,
    }


def teller(record: type[Record]) -> str:
    """The service that tells it, or ``any``: the package of contracts it stands in."""
    return record.__module__.split(".")[1]
