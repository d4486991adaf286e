"""Voice engines."""
