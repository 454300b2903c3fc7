"""The spine's app configuration: grants after migrations, its own due work."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import crypto, grants, tasks  # noqa: F401

        crypto.ring()  # keys of the wrong form stop the start, not the first person who signs up

        post_migrate.connect(grants.after_migrate, sender=self)
