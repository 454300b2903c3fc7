"""What of OAuth is offered; partners are made by staff, so there are no pages to manage them."""

from django.urls import path

from accounts import oauth_views

app_name = "oauth2_provider"
urlpatterns = [
    path("authorize/", oauth_views.ConsentView.as_view(), name="authorize"),
    path("token/", oauth_views.TokenView.as_view(), name="token"),
    path("revoke_token/", oauth_views.RevokeTokenView.as_view(), name="revoke-token"),
    path("introspect/", oauth_views.IntrospectTokenView.as_view(), name="introspect"),
]
