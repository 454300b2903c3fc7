"""Django admin with a second factor for everybody."""

from django.contrib.admin.apps import AdminConfig


class HubAdminConfig(AdminConfig):
    default_site = "accounts.staff.StaffSite"
