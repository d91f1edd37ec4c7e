"""A module in pieces: what an edit costs is what it changed, not what is there."""
