"""Boxes and arrows: how records of a station become new ones."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

BOXES = {  # name: (column, row, text, colour)
    "records": (0, 2, "records of\na station", "#dbe7ff"),
    "windows": (1, 2, "60 s windows,\nP at 10 s", "#dbe7ff"),
    "energy": (2, 2, "energy over time,\nfrequency,\ncomponent", "#dbe7ff"),
    "code": (3, 2, "code", "#ffe9c7"),
    "pool": (3, 1, "pool: codes,\namplitudes", "#ffe9c7"),
    "mix": (2, 1, "mix of up to\nthree codes", "#ffe9c7"),
    "power": (1, 1, "smooth power,\nspectrum,\ncoherency", "#d9f2dd"),
    "noise": (0, 1, "fresh Gaussian\nnoise", "#f0f0f0"),
    "motion": (0.5, 0, "new record\nE, N, Z in m/s²", "#d9f2dd"),
    "curve": (3, 0, "H/V curve of\nanother site", "#dbe7ff"),
    "adjusted": (2, 0, "adjusted\npool", "#ffe9c7"),
}
ARROWS = [
    ("records", "windows", ""),
    ("windows", "energy", ""),
    ("energy", "code", "encoder"),
    ("code", "pool", ""),
    ("pool", "mix", "sampler"),
    ("mix", "power", "decoder"),
    ("power", "motion", ""),
    ("noise", "motion", ""),
    ("curve", "adjusted", ""),
    ("pool", "adjusted", ""),
    ("adjusted", "mix", ""),
]
WIDTH, HEIGHT = 2.0, 0.74

figure, axis = plt.subplots(figsize=(9, 4.4))
place = {name: (2.75 * column, 1.35 * row) for name, (column, row, *_) in BOXES.items()}
for name, (_, _, text, colour) in BOXES.items():
    x, y = place[name]
    axis.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2, y - HEIGHT / 2), WIDTH, HEIGHT, boxstyle="round,pad=0.05", facecolor=colour, edgecolor="0.4"
        )
    )
    axis.text(x, y, text, ha="center", va="center", fontsize=9.5)
for start, end, label in ARROWS:
    (x0, y0), (x1, y1) = place[start], place[end]
    level = y0 == y1
    side = 1 if x1 > x0 else -1
    if level:
        ends = (x0 + side * (WIDTH / 2 + 0.08), y0), (x1 - side * (WIDTH / 2 + 0.1), y1)
    else:
        ends = (x0, y0 - HEIGHT / 2 - 0.07), (x1, y1 + HEIGHT / 2 + 0.09)
        if y1 > y0:
            ends = (x0, y0 + HEIGHT / 2 + 0.07), (x1, y1 - HEIGHT / 2 - 0.09)
    axis.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=12, color="0.3"))
    axis.text((x0 + x1) / 2, (y0 + y1) / 2 + 0.1, label, ha="center", fontsize=8.5, color="0.3")
axis.set(xlim=(-1.2, 9.5), ylim=(-0.6, 3.3))
axis.axis("off")
