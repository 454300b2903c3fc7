from accounts.services.devices import device_seen
from accounts.services.parties import business_open, handle_set, household_open, membership_add, membership_end
from accounts.services.partners import PartnerCreated, consent_grant, consent_revoke, partner_create
from accounts.services.people import (
    account_close,
    closing_check_register,
    closing_reasons,
    person_deactivate,
    person_sign_up,
    person_update,
    profile_save,
)
from accounts.services.sessions import session_end, sessions_end_all, sessions_end_others
from accounts.services.sign_ups import sign_up_forget, sign_ups_forget
from accounts.services.staff import staff_appoint
from accounts.services.terms import terms_accept

__all__ = [
    "PartnerCreated",
    "account_close",
    "business_open",
    "closing_check_register",
    "closing_reasons",
    "consent_grant",
    "consent_revoke",
    "device_seen",
    "handle_set",
    "household_open",
    "membership_add",
    "membership_end",
    "partner_create",
    "person_deactivate",
    "person_sign_up",
    "person_update",
    "profile_save",
    "session_end",
    "sessions_end_all",
    "sessions_end_others",
    "sign_up_forget",
    "sign_ups_forget",
    "staff_appoint",
    "terms_accept",
]
