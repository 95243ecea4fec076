"""The guide for connectors is run: its code stands in the sample connector, and its report arrives as it says."""

import asyncio
import os
import re
import sys
from pathlib import Path
from uuid import UUID

from chassis.ids import new_id
from chassis_testing.topics import Topics
from contracts.products.endpoints import EndpointReported

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/connectors.md").read_text(encoding="utf-8")
PIECES = re.findall(r"^```python(?: (\S+))?\n(.*?)\n```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_the_code_of_the_guide_is_the_connectors() -> None:
    shown = {file: code for file, code in PIECES if file}

    assert len(shown) == 1
    for file, code in shown.items():
        assert f"\n{code}\n" in f"\n{(ROOT / file).read_text(encoding='utf-8')}"


async def test_the_report_of_the_guide_arrives(topics: Topics) -> None:
    await topics.create("endpoint.reported")
    (example,) = [code for file, code in PIECES if not file]
    partner, customer = new_id(), new_id()
    said = {"KAFKA": topics.kafka, "PARTNERDECK_TOPIC_PREFIX": topics.prefix, "PARTNER": str(partner), "CUSTOMER": str(customer)}

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", example, env=os.environ | said)
    assert await process.wait() == 0

    (stood,) = await topics.everything("endpoint.reported")
    assert (stood.envelope.partner_id, stood.envelope.customer_id) == (partner, customer)
    report = EndpointReported.read(stood.payload or b"")
    assert (report.customer_id, report.endpoint_id, report.agent_update_required) == (UUID(str(customer)), stood.envelope.subject, True)
