from allauth.account import views as allauth_views
from django.urls import URLPattern, URLResolver, include, path

from accounts import partner_views, views

# Only the ways in that this hub offers: allauth's own list would add pages for parts that are not used.
_auth: list[URLPattern | URLResolver] = [
    path("sign-in/", allauth_views.login, name="account_login"),
    path("sign-out/", allauth_views.logout, name="account_logout"),
    path("sign-up/", allauth_views.signup, name="account_signup"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("code/", allauth_views.email_verification_sent, name="account_email_verification_sent"),
    path("again/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("email/", allauth_views.email, name="account_email"),
    path("password/", allauth_views.password_change, name="account_change_password"),
    path("password/new/", allauth_views.password_set, name="account_set_password"),
    path("reset/", allauth_views.password_reset, name="account_reset_password"),
    path("reset/code/", allauth_views.confirm_password_reset_code, name="account_confirm_password_reset_code"),
    path("reset/password/", allauth_views.complete_password_reset, name="account_complete_password_reset"),
    path("reset/done/", allauth_views.password_reset_from_key_done, name="account_password_reset_completed"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/", include(_auth)),
    path("more/profile/", views.profile, name="profile"),
    path("more/sessions/", views.sessions, name="sessions"),
    path("more/sessions/others/end/", views.sessions_end_others, name="sessions_end_others"),
    path("more/sessions/<uuid:session_id>/end/", views.session_end, name="session_end"),
    path("more/partners/", partner_views.partners, name="partners"),
    path("more/partners/<uuid:consent_id>/end/", partner_views.partner_end, name="partner_end"),
    path("more/close/", views.close_account, name="close_account"),
    path("terms/accept/", views.terms_accept, name="terms_accept"),
    path("terms/<slug:slug>/", views.terms, name="terms"),
    path("approve/<uuid:approval_id>/", views.approve, name="approve"),
]
