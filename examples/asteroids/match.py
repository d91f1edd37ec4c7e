"""The match: plain values that are part of the world, so that a rewind takes the points back."""

from instar import persist

score = persist("score", 0)
best = persist("best", 0)
lives = persist("lives", 3)
wave = persist("wave", 0)


def begin():
    score.value, lives.value, wave.value = 0, 3, 0


def win(points):
    score.value += points
    best.value = max(best.value, score.value)
