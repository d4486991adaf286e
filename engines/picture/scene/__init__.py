"""A deterministic painter of simple scenes from words: no model, no weights, only numpy and rules."""
