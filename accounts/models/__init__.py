from accounts.models.approvals import Approval
from accounts.models.devices import KnownDevice
from accounts.models.factors import TotpDevice
from accounts.models.handles import HandleClaim
from accounts.models.partners import PartnerApplication, PartnerConsent
from accounts.models.people import HANDLE_INDEX, Membership, Party, Person
from accounts.models.sessions import Session
from accounts.models.terms import Terms, TermsAcceptance

__all__ = [
    "HANDLE_INDEX",
    "Approval",
    "HandleClaim",
    "KnownDevice",
    "Membership",
    "PartnerApplication",
    "PartnerConsent",
    "Party",
    "Person",
    "Session",
    "Terms",
    "TermsAcceptance",
    "TotpDevice",
]
