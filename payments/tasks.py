"""Due work of payments."""
