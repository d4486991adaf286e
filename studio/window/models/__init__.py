"""View-models: what the window knows, observable, without a widget."""
