"""Cases: something about a party that staff decide, two of them together. The person is never told why (tipping off)."""
