"""Composition root: Celery and the wiring are loaded once the apps are."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "hub"

    def ready(self) -> None:
        from hub import celery, wiring  # noqa: F401  (both register themselves on import)
