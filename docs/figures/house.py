"""Draw the rooms of the package from the imports in its source: ``python docs/figures/house.py``.

Modules that belong together share a box. A box stands below everything it imports; lines that others imply are left
out. Writes docs/_static/house.svg, in plain SVG.
"""

import argparse
import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "obspy_tng"
BOXES = {  # title -> modules, a folder is one
    "errors, writing": ("errors", "writing"),
    "io": ("io",),
    "simulation": ("simulation",),
    "records": ("record", "grouping", "assembly", "response", "events"),
    "archive": ("archive", "crew", "pieces"),
    "site": ("site",),
    "corpus": ("corpus", "corpus_table"),
    "windows": ("preprocessing", "spectrogram", "conditions", "origin_spectrogram"),
    "energies": (
        "spectral", "spectral_extra", "spectral_onset", "spectral_noise", "spectral_envelopes", "spectral_first",
        "spectral_coherency", "spectral_missed", "spectral_own", "spectral_p", "spectral_rough",
        "spectral_hum", "spectral_synthesis",
    ),
    "models": ("models", "event_scatter"),
    "calibration": ("calibration", "calibration_coherence", "calibration_site", "sampling"),
    "training": (
        "checkpoint", "training", "training_loop", "training_store", "training_team", "training_waveform",
        "training_spectral", "training_cvae", "training_heggs",
    ),
    "pools": ("pool", "pool_build", "pool_check", "scaling"),
    "synthesis": ("synthesis", "adjustment", "corpus_synthesis", "event_synthesis", "provenance"),
    "plotting": ("plotting", "plotting_site", "plotting_overview", "plotting_panels", "plotting_section"),
    "evaluation": ("evaluation",),
    "cli": ("cli",),
}  # fmt: skip
SAYS = {
    "errors, writing": "messages, whole files", "io": "files to traces", "simulation": "a known truth",
    "records": "three components, m/s²", "archive": "pieces of work", "site": "HVSR and f0",
    "corpus": "SeisBench folders",
    "windows": "60 s, standardised", "energies": "over time and frequency", "models": "networks (torch)",
    "calibration": "mixes right on average",
    "training": "train()", "pools": "codes of a station", "synthesis": "generate()", "plotting": "figures",
    "evaluation": "how good is it", "cli": "obspy-tng",
}  # fmt: skip
COLUMNS = {  # where a box stands in its row, so that few lines pass behind others
    "errors, writing": 2, "io": 2, "simulation": 3, "records": 2, "archive": 0, "corpus": 4, "windows": 2, "site": 0,
    "energies": 3, "models": 3, "calibration": 3, "training": 4, "pools": 2, "synthesis": 2, "plotting": 0,
    "evaluation": 1, "cli": 1.5,
}  # fmt: skip
ASIDE = {"__init__", "hints"}  # the table of public names; types for checkers
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 146, 46, 18, 40, 10


def imports(path):
    """Return the modules of the package that a source file imports, also inside functions."""
    found = set()
    here = path.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = ("obspy_tng", *here[:-1])[: len(here) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "obspy_tng" else [module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("obspy_tng.")}
    return found


def graph():
    """Return for each box the boxes it imports.

    Raises
    ------
    SystemExit
        A module has no box.
    """
    box = {module: title for title, modules in BOXES.items() for module in modules}
    known = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    if missing := known - set(box) - ASIDE:
        raise SystemExit(f"no box for {', '.join(sorted(missing))}: add it to BOXES")
    edges = {title: set() for title in BOXES}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        module = parts[0] if len(parts) > 1 else path.stem
        if module not in ASIDE:
            edges[box[module]] |= {box[m] for m in imports(path) if m in box} - {box[module]}
    return edges


def levels(edges):
    """Return the row of each box: one below the lowest box it imports.

    Raises
    ------
    SystemExit
        Boxes import each other in a circle.
    """
    rows = {}
    while len(rows) < len(edges):
        ready = [t for t in edges if t not in rows and edges[t] <= set(rows)]
        if not ready:
            raise SystemExit(f"these import each other: {', '.join(sorted(set(edges) - set(rows)))}")
        rows |= {t: 1 + max((rows[o] for o in edges[t]), default=-1) for t in ready}
    return rows


def direct(edges):
    """Return the edges without those that a longer way implies."""

    def reach(title):
        return edges[title].union(*(reach(other) for other in edges[title]))

    return {t: {o for o in found if not any(o in reach(p) for p in found - {o})} for t, found in edges.items()}


def svg(edges):
    """Return the picture."""
    rows = levels(edges)
    width = (max(COLUMNS.values()) + 1) * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    height = (max(rows.values()) + 1) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    place = {t: (MARGIN + COLUMNS[t] * (WIDTH + GAP_X), MARGIN + rows[t] * (HEIGHT + GAP_Y)) for t in edges}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" text-anchor="middle">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for title, others in sorted(direct(edges).items()):
        x, y = place[title][0] + WIDTH / 2, place[title][1]
        for other in sorted(others):
            x0, y0 = place[other][0] + WIDTH / 2, place[other][1] + HEIGHT
            bend = (y - y0) / 2
            out.append(
                f'<path d="M{x0:.0f} {y0:.0f} C{x0:.0f} {y0 + bend:.0f} {x:.0f} {y - bend:.0f} {x:.0f} {y:.0f}" '
                'fill="none" stroke="#8a8a8a"/>'
            )
    for title, (x, y) in place.items():
        middle = x + WIDTH / 2
        out += [
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="#eef3f8" stroke="#2166ac"/>',
            f'<text x="{middle:.0f}" y="{y + 20:.0f}" font-size="14" font-weight="bold">{title}</text>',
            f'<text x="{middle:.0f}" y="{y + 36:.0f}" font-size="11" fill="#444">{SAYS[title]}</text>',
        ]
    return "\n".join([*out, "</svg>", ""])


def main():
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "_static" / "house.svg", help="file to write")
    args = parser.parse_args()
    args.out.write_text(svg(graph()), encoding="utf-8")


if __name__ == "__main__":
    main()
