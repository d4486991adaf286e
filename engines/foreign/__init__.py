"""Media made elsewhere, brought in to leave with every label."""
