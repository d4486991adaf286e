"""The steps that bring the tables of a home from any earlier version to today's; run by compliance.database."""
