"""The one error of this package that is meant for the person at the terminal."""


class RunError(Exception):
    """The hub cannot run as asked; the message says why and what to do, without a traceback."""
