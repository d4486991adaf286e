"""Command groups, one file each."""
