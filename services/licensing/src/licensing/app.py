"""Composition: the one place that puts licensing together."""

from pathlib import Path

from chassis.clock import SystemClock
from chassis.database import WorkerDatabase
from chassis.service import Service
from contracts.catalogue import states_of
from licensing.bulk.deeds import KINDS as JOBS
from licensing.bundles import PORTABLE
from licensing.catalogue import loading, reading
from licensing.catalogue.document import CatalogueFile
from licensing.catalogue.loading import Loaded
from licensing.consumers import CONSUMERS
from licensing.due import DUE
from licensing.routes import ROUTERS
from licensing.rules.policy_kinds import KINDS
from licensing.rules.policy_trials import TRIALS
from licensing.rules.telling import RETELLINGS
from licensing.settings import Settings

_NAME = "licensing"


def service(settings: Settings) -> Service:
    return Service(
        name=_NAME,
        settings=settings,
        routers=ROUTERS,
        consumers=CONSUMERS,
        states=states_of(_NAME),
        due=DUE,
        jobs=JOBS,
        retellings=RETELLINGS,
        policies=KINDS,
        trials=TRIALS,
        portable=PORTABLE,
        migrations=Path(__file__).parent / "migrations",
        follows={"subscription": ("subscriptions",), "programme": ("programmes",)},
    )


async def load_catalogue(settings: Settings, file: Path) -> Loaded:
    """Bring the catalogue to what the file says.

    Raises:
        UnreadableFile: all that is wrong with it.
    """
    said = reading.read(file, CatalogueFile)
    database = WorkerDatabase(settings.database(_NAME), SystemClock(), connections=1)
    await database.open()
    try:
        async with database.work() as work:
            return await loading.load(work, said)
    finally:
        await database.close()
