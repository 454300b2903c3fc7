"""Make somebody staff: their groups and a new authenticator. Prints its secret once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts import selectors, services
from accounts.models import Person
from accounts.staff_groups import GROUPS
from core import clock
from core.db import SYSTEM, scope
from core.errors import HubError
from core.management.output import HubCommand


class Command(HubCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--name", default="", help="needed when they have no account yet; they choose a password by 'I forgot my password'"
        )
        parser.add_argument("--group", action="append", default=[], choices=GROUPS)
        parser.add_argument("--superuser", action="store_true", help="every right: for the first one, who appoints the others")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        try:
            with scope(SYSTEM):
                person: Person = selectors.person_by_email(options["email"]) or services.person_sign_up(
                    email=options["email"], name=options["name"], password=None, email_proved=True, now=now
                )
                device = services.staff_appoint(person=person, groups=options["group"], superuser=options["superuser"], now=now)
        except HubError as error:
            self.fail(str(error), code=2)
        self.say(
            {"person": str(person.id), "groups": options["group"], "totp_secret": device.seed, "totp_uri": device.setup_uri},
            as_json=options["json"],
        )
