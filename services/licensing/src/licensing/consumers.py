"""What licensing follows: who may do what, the customers it serves, and what products report of them."""

from typing import Final

from chassis.access import projection
from chassis.consumers import Consumer, Step
from contracts.customers.customers import CustomerChanged, EulaAccepted
from contracts.customers.offboarding import CustomerUnlinked
from licensing import customers, provisioning
from licensing.offboarding import clearance, erasing, rehoming, releasing, unlinking
from licensing.product_settings import acknowledging, firmware

CONSUMERS: Final = (
    projection.consumer("licensing"),
    Consumer(
        group="licensing",
        handlers=[
            customers.SERVED,
            releasing.RELEASING.step(),
            Step(name="licensing.rehoming", record=CustomerChanged, handle=rehoming.follow),
            Step(name="licensing.eulas", record=EulaAccepted, handle=customers.note_eula),
            Step(name="licensing.provisioning", record=CustomerChanged, handle=provisioning.follow),
            Step(name="licensing.clearance", record=CustomerChanged, handle=clearance.answer),
            Step(name="licensing.unlinking", record=CustomerUnlinked, handle=unlinking.follow),
            erasing.ERASING.step(),
        ],
    ),
    Consumer(group="licensing.telemetry", handlers=[firmware.APPLIANCES, acknowledging.ANSWERS]),
)
