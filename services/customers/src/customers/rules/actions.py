"""Actions: what is done with a customer, by whom, and while it is in which status (CUS-35, GW-10).

A new verb is a line here. Its door takes kinds and permission from the line
(``allow(UNLINK.permission, kinds=UNLINK.kinds)``), its feature says ``await capabilities.require(tx,
UNLINK, customer)`` as soon as it has the customer in hand, and ``GET /v1/customers/{id}/actions``
shows it with the same decision.
"""

from typing import Final

from chassis.access.permissions import Permission
from chassis.principal import PARTNERS
from customers.errors import CustomerNotServed, NotInReview, NotTemporary
from customers.errors.offboarding import NotDeletable, NotDisabled, NotRecoverable, RejectedInReview
from customers.rules.advice import AUTHORISATION
from customers.rules.capabilities import Action, Condition

PEOPLE: Final = frozenset({"partner"})
OPERATORS: Final = frozenset({"operator"})
STAFF: Final = PARTNERS | OPERATORS
EVERYBODY: Final = STAFF | {"customer"}

ACTIVE: Final = frozenset({"active"})
HELD: Final = frozenset({"pending_review"})
RUNNING: Final = ACTIVE | {"disabled"}
PRESENT: Final = RUNNING | HELD
SEEN: Final = PRESENT | {"deleting", "deleted", "rejected"}

VIEW: Final = Action(name="view_profile", rule="CUS-35", kinds=EVERYBODY, statuses=SEEN, level="read", still=True)
EDIT: Final = Action(name="edit", rule="CUS-39", kinds=EVERYBODY, statuses=PRESENT)
TAG: Final = Action(name="tag", rule="MKT-01", kinds=STAFF, statuses=SEEN)
REPLACE_FIRST_ADDRESS: Final = Action(
    name="replace_first_address",
    rule="CUS-24",
    kinds=PARTNERS,
    statuses=PRESENT,
    permission=Permission.CUSTOMERS_ADD,
    condition=Condition(holds=lambda customer: bool(customer.first_admin.get("temporary")), otherwise=NotTemporary, rule="CUS-24"),
)

CHANGE_MANAGEMENT: Final = Action(name="change_management", rule="CUS-48", kinds=PARTNERS, statuses=RUNNING, advice=AUTHORISATION)
SET_COMMUNICATIONS: Final = Action(name="set_communications", rule="CUS-57", kinds=PARTNERS, statuses=PRESENT)
LAUNCH_CONSOLE: Final = Action(name="launch_console", rule="CUS-54", kinds=PEOPLE, statuses=ACTIVE, inside=True)
REQUEST_LAUNCH: Final = Action(
    name="request_launch", rule="CUS-55", kinds=PARTNERS, statuses=ACTIVE, within=LAUNCH_CONSOLE, advice=AUTHORISATION
)
SHUT_OUT: Final = Action(name="shut_out", rule="MKT-05", kinds=frozenset({"customer"}), statuses=PRESENT)
REVOKE_CONSENT: Final = Action(name="revoke_consent", rule="BEY-14", kinds=EVERYBODY - OPERATORS, statuses=PRESENT)

_PRODUCTS: Final = Permission.PRODUCTS_MANAGE
ACTIVATE_TRIAL: Final = Action(name="activate_trial", rule="LIC-01", kinds=PARTNERS, statuses=ACTIVE, permission=_PRODUCTS)
ACTIVATE_PRODUCT: Final = Action(
    name="activate_product", rule="LIC-06", kinds=PARTNERS, statuses=ACTIVE, permission=_PRODUCTS, capability="set_up_paid"
)
DEPLOY_PRODUCTS: Final = Action(name="deploy_products", rule="CUS-35", kinds=PARTNERS, statuses=ACTIVE, inside=True)
ASSIGN_TEMPLATE: Final = Action(name="assign_template", rule="CUS-65", kinds=PARTNERS, statuses=ACTIVE, permission=_PRODUCTS, inside=True)
DEPLOY_POLICY: Final = Action(name="deploy_policy", rule="CUS-66", kinds=PARTNERS, statuses=ACTIVE, permission=_PRODUCTS, inside=True)
UPDATE_FIRMWARE: Final = Action(name="update_firmware", rule="CUS-67", kinds=PARTNERS, statuses=ACTIVE, permission=_PRODUCTS, inside=True)
RENEW_LICENCES: Final = Action(name="renew_licences", rule="LIC-21", kinds=PARTNERS, statuses=RUNNING, permission=_PRODUCTS)

_REMOVE: Final = Permission.CUSTOMERS_REMOVE
DISABLE: Final = Action(name="disable", rule="C-2", kinds=STAFF, statuses=ACTIVE, permission=_REMOVE, otherwise=CustomerNotServed)
ENABLE: Final = Action(
    name="enable",
    rule="C-2",
    kinds=STAFF,
    statuses=frozenset({"disabled"}),
    permission=_REMOVE,
    otherwise=NotDisabled,
    condition=Condition(holds=lambda customer: customer.rejected_for is None, otherwise=RejectedInReview, rule="CUS-13", waived=OPERATORS),
)
UNLINK: Final = Action(name="unlink", rule="CUS-60", kinds=STAFF, statuses=RUNNING, permission=_REMOVE)
DELETE: Final = Action(
    name="delete", rule="CUS-62", kinds=STAFF, statuses=RUNNING | {"rejected"}, permission=_REMOVE, otherwise=NotDeletable
)
RESTORE: Final = Action(
    name="restore", rule="CUS-63", kinds=STAFF, statuses=frozenset({"deleted"}), permission=_REMOVE, otherwise=NotRecoverable
)
MOVE: Final = Action(name="move", rule="MKT-02", kinds=STAFF, statuses=RUNNING, permission=_REMOVE)
PLAN_OFFBOARDING: Final = Action(name="plan_offboarding", rule="MKT-19", kinds=STAFF, statuses=RUNNING, permission=_REMOVE)

CLEAR_REVIEW: Final = Action(name="clear_review", rule="CUS-14", kinds=OPERATORS, statuses=HELD, otherwise=NotInReview)
REJECT_REVIEW: Final = Action(name="reject_review", rule="CUS-14", kinds=OPERATORS, statuses=HELD, otherwise=NotInReview)

ALL: Final = (
    *(VIEW, EDIT, TAG, REPLACE_FIRST_ADDRESS, CHANGE_MANAGEMENT, SET_COMMUNICATIONS, REQUEST_LAUNCH, REVOKE_CONSENT, SHUT_OUT),
    *(ACTIVATE_TRIAL, ACTIVATE_PRODUCT, LAUNCH_CONSOLE, DEPLOY_PRODUCTS),
    *(ASSIGN_TEMPLATE, DEPLOY_POLICY, UPDATE_FIRMWARE, RENEW_LICENCES),
    *(DISABLE, ENABLE, UNLINK, DELETE, RESTORE, MOVE, PLAN_OFFBOARDING, CLEAR_REVIEW, REJECT_REVIEW),
)
"""As they are shown, in this order."""
