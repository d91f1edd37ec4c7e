"""Scenes, one idea each: `instar run NAME` runs them, `instar new MINE --from NAME` makes one your own."""
