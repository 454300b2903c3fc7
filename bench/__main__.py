"""
`python -m bench [--quick] [NAME...]`: measure on a database of its own, print a table, write bench/results.json.

Needs DATABASE_URL and DATABASE_OWNER_URL (make bench starts a server). NAMEs are modules of this package.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from bench import database
from bench.rows import show, write

# Each has rows(quick=...), giving Row after Row; Django is set up on the bench's database when it is called.
MODULES = ("ledger", "seals", "transfers", "pages", "bills", "screening")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, to see that everything works")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(MODULES)}")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MODULES)
    if unknown or not (os.environ.get("DATABASE_URL") and os.environ.get("DATABASE_OWNER_URL")):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}" if unknown else "DATABASE_URL and DATABASE_OWNER_URL must be set")
    os.environ.setdefault("HUB_ENV", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    found = []
    with database.own():
        import django

        django.setup()
        print(database.server())
        for name in arguments.names or MODULES:
            for row in importlib.import_module(f"bench.{name}").rows(quick=arguments.quick):
                show(row)
                found.append(row)
    write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
