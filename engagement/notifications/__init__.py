"""Notices: what happened to somebody's money and account, in the hub and by e-mail."""
