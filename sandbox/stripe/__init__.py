"""A card provider that speaks Stripe's wire format, with its hosted payment page and its webhooks."""
