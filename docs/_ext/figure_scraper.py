"""Finds the figures of an example: every matplotlib Figure left in a variable, shown by pyplot or not."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block, block_vars, gallery_conf):
    """Save the figures a block made; return the rst that shows them."""
    seen = block_vars.setdefault("figures_seen", set())
    paths = []
    for value in list(block_vars["example_globals"].values()):
        if isinstance(value, Figure) and id(value) not in seen:
            seen.add(id(value))
            path = next(block_vars["image_path_iterator"])
            value.savefig(path, dpi=120, bbox_inches="tight")
            paths.append(path)
    plt.close("all")
    return figure_rst(paths, gallery_conf["src_dir"])


def _get_sg_image_scraper():
    """Answer sphinx-gallery, which asks a module named in its settings for this."""
    return scrape
