"""Every record that this version of Partnerdeck tells, by topic."""

from typing import Any, Final

from contracts.any import audit, erasing, jobs, releasing
from contracts.any.clocks import PartnerClockReached
from contracts.attributes import teller
from contracts.customers import (
    clocks,
    consents,
    console_sessions,
    credentials,
    customers,
    imports,
    management,
    offboarding,
    partners,
    roles,
    sessions,
    users,
)
from contracts.licensing import billing, clearance, firmware, offers, product_settings, programmes, provisioning, subscriptions
from contracts.notifications import notifications
from contracts.products import deployments, endpoints
from contracts.records import Fact, Record, State

RECORDS: Final[tuple[type[Record], ...]] = (
    partners.PartnerRegistered,
    partners.PartnerUpdated,
    partners.PartnerDisabled,
    partners.PartnerEnabled,
    partners.PartnerChanged,
    clocks.PartnerClockAdvanced,
    PartnerClockReached,
    users.UserCreated,
    users.UserUpdated,
    users.UserDisabled,
    users.UserChanged,
    roles.RoleCreated,
    roles.RoleUpdated,
    roles.RoleDeleted,
    roles.RoleChanged,
    customers.CustomerCreated,
    customers.CustomerTagged,
    customers.CustomerUpdated,
    customers.CustomerReviewOpened,
    customers.CustomerReviewCleared,
    customers.CustomerReviewRejected,
    customers.EulaAccepted,
    offboarding.CustomerDisabled,
    offboarding.CustomerEnabled,
    offboarding.CustomerUnlinked,
    releasing.CustomerReleased,
    offboarding.CustomerMoved,
    offboarding.CustomerDeletionRequested,
    clearance.CustomerDeletionCleared,
    clearance.CustomerDeletionBlocked,
    offboarding.CustomerDeleted,
    offboarding.CustomerPurged,
    erasing.CustomerErased,
    customers.CustomerChanged,
    credentials.CredentialLinkRequested,
    sessions.SessionEnded,
    consents.ConsentRecorded,
    console_sessions.ConsoleSessionStarted,
    console_sessions.ConsoleSessionEnded,
    management.CustomerManagementRequested,
    management.CustomerManagementChanged,
    management.CustomerManagementDeclined,
    management.CustomerManagementExpired,
    imports.CustomerImportRequested,
    imports.CustomerImported,
    imports.CustomerImportDeclined,
    imports.CustomerImportExpired,
    programmes.ProgrammeActivated,
    programmes.ProgrammeEnded,
    programmes.ProgrammeChanged,
    offers.OfferPublished,
    offers.OfferChanged,
    subscriptions.TrialStarted,
    subscriptions.TrialEnding,
    subscriptions.TrialExpired,
    subscriptions.TrialPaused,
    subscriptions.TrialConverted,
    subscriptions.SubscriptionActivated,
    subscriptions.SubscriptionCancelScheduled,
    subscriptions.SubscriptionCancelled,
    subscriptions.SubscriptionChanged,
    provisioning.ProvisioningRejected,
    billing.BillingLineRated,
    product_settings.TemplateAssigned,
    product_settings.PolicyDeploymentRequested,
    product_settings.PolicyDeploymentFinished,
    firmware.FirmwareUpdateRequested,
    firmware.FirmwareUpdateFinished,
    notifications.NotificationSent,
    notifications.NotificationFailed,
    notifications.NotificationSuppressed,
    endpoints.EndpointReported,
    deployments.ProductDeploymentAcknowledged,
    audit.AuditRecorded,
    jobs.JobFinished,
)

BY_TOPIC: Final[dict[str, type[Record]]] = {record.topic: record for record in RECORDS}


def facts() -> list[type[Fact]]:
    return [record for record in RECORDS if issubclass(record, Fact)]


def states() -> list[type[State[Any]]]:
    return [record for record in RECORDS if issubclass(record, State)]


def states_of(service: str) -> list[str]:
    """The topics that a service tells states to."""
    return [state.topic for state in states() if teller(state) == service]
