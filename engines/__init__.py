"""Local synthesis: no Qt, no network, no file is ever written here."""
