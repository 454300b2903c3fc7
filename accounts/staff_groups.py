"""Groups of staff and the least rights each needs; applied after every migration, so that the table here is the truth."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig

GROUPS = ("support", "compliance", "operations")

# "app.codename". Upper apps add theirs by `rights_register` in their AppConfig.ready.
_rights: dict[str, set[str]] = {
    "support": {
        "accounts.view_person",
        "accounts.view_party",
        "accounts.view_membership",
        "accounts.view_terms",
        "accounts.view_termsacceptance",
    },
    "compliance": {
        "accounts.view_person",
        "accounts.change_person",
        "core.view_auditentry",
        "accounts.view_party",
        "accounts.view_membership",
        "accounts.view_terms",
        "accounts.view_termsacceptance",
    },
    "operations": {
        "accounts.view_terms",
        "accounts.add_terms",
        "accounts.change_terms",
        "core.view_event",
        "core.view_delivery",
        "core.change_delivery",
        "core.view_duework",
        "core.change_duework",
        "core.view_auditentry",
        "core.view_rate",
        "core.view_idempotencykey",
    },
}


def rights_register(group: str, *rights: str) -> None:
    """Give a group rights on an app's models ("wallets.view_wallet")."""
    if group not in GROUPS:
        raise ValueError(f"{group!r} is not one of {', '.join(GROUPS)}")
    _rights[group].update(rights)


def after_migrate(sender: AppConfig, using: str, apps: Any = None, **_: Any) -> None:
    """Make the groups' rights on this app's models exactly those of the table."""
    from django.apps import apps as installed
    from django.contrib.auth.management import create_permissions

    if not installed.is_installed("django.contrib.auth") or not any(
        right.startswith(f"{sender.label}.") for rights in _rights.values() for right in rights
    ):
        return
    # Django makes them in a receiver that may run after this one.
    create_permissions(sender, verbosity=0, interactive=False, using=using)
    from django.contrib.auth.models import Group, Permission

    for name in GROUPS:
        group, _created = Group.objects.using(using).get_or_create(name=name)
        wanted = {right.split(".", 1)[1] for right in _rights[name] if right.startswith(f"{sender.label}.")}
        mine = Permission.objects.using(using).filter(content_type__app_label=sender.label)
        group.permissions.remove(*mine.exclude(codename__in=wanted))
        group.permissions.add(*mine.filter(codename__in=wanted))
