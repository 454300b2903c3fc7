from django.apps import AppConfig


class OpenbankingConfig(AppConfig):
    name = "openbanking"
