"""Time: when a frame begins, what runs in it, and how long each part took."""
