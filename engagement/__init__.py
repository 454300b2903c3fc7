"""Notifications, onboarding and learning, rewards, community and support will live here."""
