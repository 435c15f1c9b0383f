"""The directive ``changes``: CHANGELOG.md of the root, whose Markdown is headings, lists and `code` alone."""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

FILE = Path(__file__).parents[2] / "CHANGELOG.md"


class Changes(Directive):
    """Include the change log."""

    def run(self):
        """Return its nodes."""
        lines = []
        for line in FILE.read_text(encoding="utf-8").splitlines():
            line = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
            if line.startswith("## "):
                lines += [f".. rubric:: {line[3:]}", ""]
            elif not line.startswith("# "):
                lines.append(line)
        self.state.document.settings.record_dependencies.add(str(FILE))
        node = nodes.container()
        self.state.nested_parse(StringList(lines, source=str(FILE)), self.content_offset, node)
        return node.children


def setup(app):
    """Register the directive."""
    app.add_directive("changes", Changes)
    return {"parallel_read_safe": True}
