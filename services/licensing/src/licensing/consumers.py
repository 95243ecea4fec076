"""What licensing follows: who may do what, and the customers it serves."""

from typing import Final

from chassis.access import projection
from chassis.consumers import Consumer, Step
from contracts.customers.customers import CustomerChanged, EulaAccepted
from licensing import customers, provisioning

CONSUMERS: Final = (
    projection.consumer("licensing"),
    Consumer(
        group="licensing",
        handlers=[
            customers.SERVED,
            Step(name="licensing.eulas", record=EulaAccepted, handle=customers.note_eula),
            Step(name="licensing.provisioning", record=CustomerChanged, handle=provisioning.follow),
        ],
    ),
)
