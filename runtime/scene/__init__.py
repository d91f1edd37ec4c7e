"""Scenes: the folder with `scene.toml` and modules that a run starts from."""
