"""Every kind of policy document that customers decides by; one that is missing here is neither shown nor published."""

from typing import Final

from chassis.jobs.reach import BulkPolicy
from chassis.policies import Kinds
from customers.rules.capabilities import CapabilityMatrix
from customers.rules.consent_policy import ConsentPolicy
from customers.rules.console_policy import ConsolePolicy
from customers.rules.identity import IdentityPolicy
from customers.rules.licence_terms import LicenceTerms
from customers.rules.mutability import FieldMutability
from customers.rules.new_roles import RolesPolicy
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.policies import documents
from customers.rules.provisioning import ProvisioningPolicy
from customers.rules.residency import ResidencyPolicy
from customers.rules.sign_on_policy import SignOnPolicy
from customers.rules.sign_up_policy import SignUpPolicy
from customers.rules.tree import PartnerTree

_SHAPES: Final = (
    BulkPolicy,
    ConsentPolicy,
    ConsolePolicy,
    CapabilityMatrix,
    FieldMutability,
    IdentityPolicy,
    LicenceTerms,
    OffboardingPolicy,
    PartnerTree,
    ProvisioningPolicy,
    ResidencyPolicy,
    RolesPolicy,
    SignOnPolicy,
    SignUpPolicy,
)
KINDS: Final = Kinds(documents, _SHAPES)
