"""Small widgets of which the pages are made."""
