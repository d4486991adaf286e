"""One module a step, named rNNNN_what; a step that was shipped is never edited."""
