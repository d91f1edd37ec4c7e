"""The window and its keys: made once, whatever you edit while you play."""

import os
import sys

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
try:
    import pygame
except ModuleNotFoundError:
    raise ImportError('this scene is drawn by pygame-ce, which is not installed: pip install "instar[game]"') from None

from instar import keep


def open_window():
    """A window that can be resized; where there is no display, the game is played unseen."""
    try:
        pygame.display.init()
    except pygame.error:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        pygame.display.init()
    pygame.display.set_caption("Asteroids")
    return pygame.display.set_mode((960, 720), pygame.RESIZABLE)


def load_font():
    pygame.font.init()
    return pygame.font.Font(None, 64)


window = keep("window", open_window)
font = keep("font", load_font)
held = keep("held", set)


def read_keys():
    """The keys that are down, and those that went down since the last frame; a closed window ends the run."""
    struck = set()
    for event in pygame.event.get():
        if event.type == pygame.QUIT:
            sys.exit("the window was closed")
        elif event.type == pygame.KEYDOWN:
            held.add(event.key)
            struck.add(event.key)
        elif event.type == pygame.KEYUP:
            held.discard(event.key)
        elif event.type == pygame.WINDOWFOCUSLOST:
            held.clear()
    return held, struck
