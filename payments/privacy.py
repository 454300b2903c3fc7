"""What payments keep about a party, and for how long."""
