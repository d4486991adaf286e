"""What a released picture, film or sound looks and sounds like, so that a copy without any label is known again.

A match is a hint with a distance, never a proof: it names the release whose picture it is like.
"""
