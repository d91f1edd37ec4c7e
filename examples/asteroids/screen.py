"""What you see. Try another colour: the window stays, and so does your score."""

from functools import lru_cache

import match
import numpy as np
from window import font, pygame, window

from instar import Param

NIGHT = (9, 11, 24)
HAZE = (28, 17, 48)
ROCK = (38, 41, 62)
EDGE = (150, 158, 205)
SHIP = (235, 240, 255)
SHOT = (120, 230, 255)
FIRE = np.array([255, 150, 60])
SHIELD = (80, 170, 255)
TEXT = (200, 208, 240)

glow = Param(1.0, min=0.0, max=3.0)
stars = Param(160, min=0, max=2_000)

CORNERS = 11
OUTLINES = np.random.default_rng(5).uniform(0.74, 1.1, (32, CORNERS))
HULL = np.array([(1.0, 0.0), (-0.8, 0.68), (-0.45, 0.0), (-0.8, -0.68)]) * 17


def update(ships, shots, rocks, sparks, space, frame):
    surface = pygame.display.get_surface() or window
    view = View(surface, space)
    surface.blit(sky(surface.get_size(), NIGHT, HAZE, int(stars)), (0, 0))
    draw_sparks(surface, view, sparks)
    draw_rocks(surface, view, rocks)
    for x, y in view.at(shots.x, shots.y):
        shine(surface, x, y, round(15 * view.scale), SHOT)
        pygame.draw.circle(surface, (255, 255, 255), (x, y), max(1.5, 2 * view.scale))
    draw_ships(surface, view, ships, frame)
    draw_score(surface, view)
    pygame.display.flip()


class View:
    """Where things of the world are seen, in a window of any size."""

    def __init__(self, surface, space):
        width, height = surface.get_size()
        self.scale = min(width / space.width, height / space.height)
        self.left = (width - space.width * self.scale) / 2
        self.top = (height - space.height * self.scale) / 2
        self.size = space.width, space.height

    def at(self, x, y):
        """Pixels of places, shape (…, 2)."""
        found = np.empty((*np.shape(x), 2))
        found[..., 0] = x * self.scale + self.left
        found[..., 1] = y * self.scale + self.top
        return found


@lru_cache(maxsize=2)
def sky(size, night, haze, count):
    """Haze and stars, painted once for a size of the window."""
    rng = np.random.default_rng(11)
    cloud = pygame.Surface((8, 6))
    thick = rng.random((8, 6, 1)) ** 2
    pygame.surfarray.blit_array(cloud, (night + thick * haze).astype(np.uint8))
    painted = pygame.transform.smoothscale(cloud, size).convert()
    for x, y, light in rng.random((count, 3)) * (*size, 1):
        colour = [round(110 + 145 * light**3)] * 2 + [255]
        pygame.draw.circle(painted, colour, (x, y), max(1.0, 2.2 * light**8))
    return painted


def draw_sparks(surface, view, sparks):
    """All at once: each spark lights a pixel or four, brighter ones whiter."""
    cells = view.at(sparks.x, sparks.y).astype(int)
    heat = np.clip(sparks.life * 1.6, 0, 1)[:, None]
    colour = (FIRE * heat + (255 - FIRE) * heat**4).astype(np.uint8)
    thick = max(1, round(1.6 * view.scale))
    pixels = pygame.surfarray.pixels3d(surface)
    for dx in range(thick):
        for dy in range(thick):
            at = cells + np.array((dx, dy))
            inside = ((at >= 0) & (at < pixels.shape[:2])).all(axis=1)
            x, y = at[inside].T
            pixels[x, y] = np.maximum(pixels[x, y], colour[inside])


def draw_rocks(surface, view, rocks):
    """Outlines of all rocks are turned in one go; those across an edge are seen on both sides."""
    angle = rocks.heading[:, None] + np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    reach = rocks.radius[:, None] * OUTLINES[rocks.shape % len(OUTLINES)]
    outlines = view.at(rocks.x[:, None] + reach * np.cos(angle), rocks.y[:, None] + reach * np.sin(angle))
    width, height = view.size
    over_x = np.sign(rocks.x - width / 2) * (np.abs(rocks.x - width / 2) + 1.2 * rocks.radius > width / 2)
    over_y = np.sign(rocks.y - height / 2) * (np.abs(rocks.y - height / 2) + 1.2 * rocks.radius > height / 2)
    for outline, dx, dy in zip(outlines, over_x * width * view.scale, over_y * height * view.scale, strict=True):
        for shift in {(0, 0), (dx, 0), (0, dy), (dx, dy)}:
            shifted = outline - shift
            pygame.draw.polygon(surface, ROCK, shifted)
            pygame.draw.aalines(surface, EDGE, True, shifted)
            pygame.draw.polygon(surface, EDGE, shifted, 2)


def draw_ships(surface, view, ships, frame):
    for row in range(len(ships)):
        cos, sin = np.cos(ships.heading[row]), np.sin(ships.heading[row])
        turned = HULL @ np.array([[cos, sin], [-sin, cos]])
        x, y = view.at(ships.x[row], ships.y[row])
        if ships.thrust[row]:
            shine(surface, x - 16 * cos * view.scale, y - 16 * sin * view.scale, round(34 * view.scale), FIRE)
        shine(surface, x, y, round(30 * view.scale), (40, 60, 110))
        hull = view.at(ships.x[row] + turned[:, 0], ships.y[row] + turned[:, 1])
        pygame.draw.polygon(surface, (60, 70, 110), hull)
        pygame.draw.aalines(surface, SHIP, True, hull)
        if ships.shield[row] > (0.6 if frame // 6 % 2 else 0):
            pygame.draw.aacircle(surface, SHIELD, (x, y), 25 * view.scale, 2)
            shine(surface, x, y, round(44 * view.scale), (15, 35, 60))


def draw_score(surface, view):
    write(surface, f"{match.score.value:,}", view.at(22, 16), 0.62 * view.scale)
    write(surface, f"wave {match.wave.value}", view.at(view.size[0] / 2, 16), 0.42 * view.scale, align=0.5)
    write(surface, f"best {match.best.value:,}", view.at(view.size[0] - 22, 16), 0.42 * view.scale, align=1.0)
    for life in range(match.lives.value):
        upright = HULL[:, ::-1] * (0.62, -0.62)
        pygame.draw.aalines(surface, SHIP, True, view.at(32 + 24 * life + upright[:, 0], 76 + upright[:, 1]))
    if not match.lives.value:
        middle = view.size[0] / 2
        write(surface, "GAME OVER", view.at(middle, 280), 1.4 * view.scale, align=0.5)
        write(surface, "press Enter to play again", view.at(middle, 376), 0.5 * view.scale, align=0.5)


def write(surface, text, at, size, align=0.0):
    drawn = lettering(text, max(round(size, 3), 0.05))
    surface.blit(drawn, (at[0] - align * drawn.get_width(), at[1]))


@lru_cache(maxsize=32)
def lettering(text, size):
    return pygame.transform.smoothscale_by(font.render(text, True, TEXT), size)


def shine(surface, x, y, radius, colour):
    """Adds a soft light."""
    if glow and radius > 0:
        light = halo(radius, tuple(min(255, round(float(part) * glow * 0.5)) for part in colour))
        surface.blit(light, (x - radius, y - radius), special_flags=pygame.BLEND_RGB_ADD)


@lru_cache(maxsize=64)
def halo(radius, colour):
    light = pygame.Surface((2 * radius, 2 * radius))
    offset = np.arange(2 * radius) - radius + 0.5
    fall = np.clip(1 - np.hypot(offset[:, None], offset) / radius, 0, 1) ** 2
    pygame.surfarray.blit_array(light, (fall[..., None] * colour).astype(np.uint8))
    return light
