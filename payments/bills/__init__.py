"""Bills: payments that the hub makes by itself on their days, under a mandate of the person."""
