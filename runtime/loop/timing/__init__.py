"""What frames take, phase by phase, and why they are late."""
