from __future__ import annotations

from django.urls import path

from budgeting import views

urlpatterns = [
    path("plan/", views.plan, name="plan"),
    path("plan/budgets/", views.budgets, name="plan_budgets"),
    path("plan/categories/<slug:code>/", views.category, name="plan_category"),
    path("plan/items/<uuid:item_id>/", views.item, name="plan_item"),
    path("plan/payments/<uuid:payment_id>/", views.payment, name="plan_payment"),
    path("plan/rules/", views.rules, name="plan_rules"),
    path("plan/rules/<uuid:rule_id>/forget/", views.rule_forget, name="plan_rule_forget"),
]
