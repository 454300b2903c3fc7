"""How tests and people make the outside world misbehave."""
