"""A bank that carries out transfers, for the hub's payouts and bills."""
