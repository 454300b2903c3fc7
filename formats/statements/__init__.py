"""Account statements in the formats that banks and book-keeping programs exchange: CSV of our own shape, OFX 2.2 and CAMT.053."""
