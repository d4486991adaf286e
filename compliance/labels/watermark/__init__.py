"""The parts of the invisible picture mark; compliance.labels.watermark_image is its door."""
