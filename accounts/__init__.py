"""People and the parties that own things: sign-up, sign-in, sessions, profile, terms, approvals."""
