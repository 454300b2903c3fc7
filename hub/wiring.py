"""
What happens after what: the only place that joins an event of one app to the reaction of another.

Each line is `subscribe(event, handler)`; a handler changes the database and schedules due work, it never uses the network.
"""

from __future__ import annotations
