"""Deterministic engines for tests and dry runs."""
