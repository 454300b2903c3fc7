from django.urls import path

from sandbox import pages, rates
from sandbox.bank import api as bank_api
from sandbox.bank import views as bank
from sandbox.control import views as control
from sandbox.inbox import views as inbox
from sandbox.stripe import api, hosted

handler404 = pages.not_found
handler400 = pages.bad_request
handler500 = pages.server_error

urlpatterns = [
    path("", pages.index, name="index"),
    path("healthz", pages.healthz),
    path("assets/<str:name>", pages.asset, name="asset"),
    path("favicon.ico", pages.favicon),
    path("v1/<path:path>", api.entry),
    path("pay/<str:session_id>", hosted.pay, name="pay"),
    path("pay/<str:session_id>/challenge", hosted.challenge, name="challenge"),
    path("bank/", bank.statement, name="bank"),
    path("bank/v1/balances", bank_api.balances),
    path("bank/v1/transfers", bank_api.collection),
    path("bank/v1/transfers/<str:transfer_id>", bank_api.one),
    path("payments/", control.payments, name="payments"),
    path("events/", control.events, name="events"),
    path("control/", control.page, name="control"),
    path("control/state", control.state),
    path("control/faults", control.faults),
    path("control/endpoint", control.endpoint),
    path("control/reset", control.reset),
    path("control/settle", control.settle),
    path("control/forge", control.forge),
    path("control/deliveries", control.deliveries),
    path("control/events/<str:event_id>/resend", control.resend),
    path("control/bank/<str:transfer_id>/return", control.bank_return),
    path("control/sessions/<str:session_id>/pay", control.session_pay),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/messages.json", inbox.messages_json),
    path("inbox/<int:message_id>/", inbox.message, name="message"),
    path("inbox/<int:message_id>/html", inbox.message_html, name="message_html"),
    path("sms/messages", inbox.sms_send),
    path("ecb/eurofxref-daily.xml", rates.daily, name="rates"),
    path("ecb/eurofxref-hist-90d.xml", rates.history),
]
