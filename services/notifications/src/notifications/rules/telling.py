"""How notifications tells what became of a mail. One fact per mail, about the mail, without an address."""

from chassis.database import Transaction
from contracts.notifications.notifications import NotificationFact
from notifications.tables.mails import Mail


def tell_mail(tx: Transaction, mail: Mail, fact: NotificationFact) -> None:
    tx.tell(fact, about=tx.entity("notification", mail.id, version=mail.version, customer_id=mail.customer_id))
