from django.urls import path

from payments.gateways import NAMES
from payments.webhooks import webhook

urlpatterns = [path(f"webhooks/{name}/", webhook, {"gateway": name}, name=f"webhook_{name}") for name in NAMES]
