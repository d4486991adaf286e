"""All that lies between a person's face and a file on disk: consent, identity, labels, ledger, the one way out."""
