"""The label layers and the policy of what must stand on what."""
