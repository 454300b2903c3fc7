"""Figures: `python -m bench` measures on a database of its own, prints a table and writes bench/results.json."""
