"""The verbs of the reporting service: ``python -m reporting serve|api|worker|relay|migrate``."""

from chassis.verbs import verbs
from reporting.app import service
from reporting.settings import Settings

app = verbs(Settings, service)

if __name__ == "__main__":
    app()
