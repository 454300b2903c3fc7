"""The bank that carries out transfers to other banks' accounts."""
