"""``python -m notifications serve|api|worker|relay|migrate``."""

from chassis.verbs import verbs
from notifications.app import service
from notifications.settings import Settings

app = verbs(Settings, service)

if __name__ == "__main__":
    app()
