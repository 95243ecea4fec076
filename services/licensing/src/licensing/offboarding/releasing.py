"""Releasing: licensing keeps still about a customer that is being moved. Whoever tells something of it holds it first (``served.stay``)."""

from typing import Final

from chassis.releasing import Releasing

RELEASING: Final = Releasing(service="licensing")
