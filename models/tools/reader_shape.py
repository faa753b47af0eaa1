"""The reader's fixed sizes, apart from torch so that the renderer needs none."""

WIDTH, HEIGHT = 160, 48
GRID_W, GRID_H = 40, 6
SLOTS = 12
