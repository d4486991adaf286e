"""Data only: fonts, icons, translations, sample media, models."""
