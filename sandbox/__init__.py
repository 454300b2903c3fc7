"""
The outside world for development and tests: a payment provider, an inbox for e-mails and text messages,
a publisher of exchange rates. Its own process and its own state; imports nothing of the apps, and no app imports it.

Start it with `python -m sandbox`; docs/sandbox.md says what is here.
"""
