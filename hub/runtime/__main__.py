"""`python -m hub.runtime run|status|stop|reset|restore-drill|test-env`: what the Makefile calls."""

from __future__ import annotations

import argparse
import json
import os
import sys

from hub.runtime.errors import RunError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m hub.runtime", description="Run the hub on this machine.")
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run", help="start everything and stay until Ctrl-C")
    run.add_argument("--with-parent", action="store_true", help="stop when the starting process ends")
    actions.add_parser("status", help="what runs, as JSON")
    actions.add_parser("stop", help="stop the running hub")
    actions.add_parser("reset", help="stop the hub and remove its state folder")
    drills = actions.add_parser("restore-drill", help="back the database up, restore it elsewhere, and compare")
    drills.add_argument(
        "--moment", action="store_true", help="go back to a moment from a base backup and the changes since, on a server of its own"
    )
    tests = actions.add_parser("test-env", help="run a command with embedded servers of its own")
    tests.add_argument("--throwaway", action="store_true", help="PostgreSQL never waits for the disk; a power cut may take it all")
    tests.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    try:
        return _act(chosen)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error}. Was this state folder made by another user? Run as that user, or choose another HUB_STATE_DIR.", file=sys.stderr)
        return 1


def _act(chosen: argparse.Namespace) -> int:
    # Imported when needed: `status` must be quick.
    if chosen.action == "run":
        from hub.runtime.run import run

        return run(os.environ, with_parent=chosen.with_parent)
    if chosen.action == "status":
        from hub.runtime.status import status

        found = status(os.environ)
        print(json.dumps(found))
        return 0 if found["ready"] else 1
    if chosen.action == "restore-drill" and chosen.moment:
        from hub.runtime import moment

        return moment.drill(os.environ)
    if chosen.action == "restore-drill":
        from hub.runtime.drill import drill

        return drill(os.environ)
    if chosen.action == "test-env":
        from hub.runtime.testing import run_with_servers

        command = chosen.command[1:] if chosen.command[:1] == ["--"] else chosen.command
        if not command:
            raise RunError("test-env needs a command: test-env -- COMMAND")
        return run_with_servers(command, os.environ, throwaway=chosen.throwaway)
    from hub.runtime import reset
    from hub.runtime.state import State

    if chosen.action == "reset":
        return reset.reset(os.environ)
    print("Stopped." if reset.stop(State.chosen(os.environ)) else "The hub is not running.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
