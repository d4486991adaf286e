"""Picture engines."""
