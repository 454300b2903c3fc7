"""Tables and the made-up sanctions list; says so as `manage.py hub_prepare` does."""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    django.setup()
    from django.core.management import call_command

    from compliance.screening import lists
    from core import clock
    from core.db import SYSTEM, scope

    call_command("migrate", interactive=False, verbosity=1, stdout=sys.stderr)
    with scope(SYSTEM):
        lists.list_load(source=lists.Source.DEMO, path=lists.DEMO_LIST, now=clock.now())
    print(json.dumps({"migrated": True}), flush=True)
    print(json.dumps({"demo": {}, "demo_loaded": True}), flush=True)


if __name__ == "__main__":
    main()
