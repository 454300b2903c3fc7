"""Stripe: Checkout Sessions, refunds and signed events. The only folder that imports the `stripe` package."""
