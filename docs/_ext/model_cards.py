"""The directive ``model-cards``: the JSON cards beside the shipped weights, as tables."""

import json

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from obspy_tng.models import SHIPPED

_LONG = 60  # characters of a list shown in one line before it is counted


def _rows(card):
    for key, value in card.items():
        if isinstance(value, dict):
            text = ", ".join(f"{k} {v}" for k, v in value.items())
        elif isinstance(value, list):
            text = ", ".join(map(str, value)) or "none"
            text = f"{len(value)}: {text}" if len(text) > _LONG else text
        else:
            text = str(value)
        yield key.replace("_", " "), text


class ModelCards(Directive):
    """Print every card; say so when no weights are shipped."""

    def run(self):
        """Return the sections."""
        lines = []
        for path in sorted(SHIPPED.glob("*.json")):
            card = json.loads(path.read_text(encoding="utf-8"))
            lines += [f".. rubric:: {card.get('name', path.stem)}", ""]
            lines += [".. list-table::", "   :widths: 25 75", ""]
            for key, text in _rows(card):
                lines += [f"   * - {key}", f"     - ``{text}``" if text.strip() else "     -"]
            lines.append("")
        if not lines:
            lines = ["*No weights in this tree:* ``make default`` *trains and exports them.*", ""]
        node = nodes.container()
        self.state.nested_parse(StringList(lines, source="model cards"), self.content_offset, node)
        return node.children


def setup(app):
    """Register the directive."""
    app.add_directive("model-cards", ModelCards)
    return {"parallel_read_safe": True}
