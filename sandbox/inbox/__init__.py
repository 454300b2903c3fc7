"""Every e-mail and text message the hub sends lands here."""
