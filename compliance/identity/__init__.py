"""Identity data: what a person says about themself, what of it could be checked, and what staff made of it."""
