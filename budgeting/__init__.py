"""The one feed of all transactions, categories with their reasons, monthly budgets and what is safe to spend."""
