"""The one feed of all transactions, categories, budgets, goals, recurring payments, forecast and insights will live here."""
