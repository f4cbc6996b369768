"""Draws captured terminal panes, one below the other, as an SVG on stdout: TITLE FILE..."""

import re
import sys

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

CHARACTER = 12.2  # width in rich's SVG


def indent(match):
    """Replaces leading spaces by a position, because some viewers drop them."""
    x, between, length, spaces = match.groups()
    width = len(spaces) // len("&#160;") * CHARACTER
    return f'x="{float(x) + width:g}"{between}textLength="{float(length) - width:g}"{match.group(0)[match.end(3) - match.start(0) + 1 : match.start(4) - match.start(0)]}'


title, *panes = sys.argv[1:]
console = Console(record=True, width=104, file=open("/dev/null", "w"))
for number, pane in enumerate(panes):
    if number:
        console.print(Rule(style="grey35"))
    with open(pane, encoding="utf-8") as lines:
        console.print(Text.from_ansi(lines.read().rstrip("\n")), no_wrap=True, crop=True)
svg = console.export_svg(title=title)
# The viewer's own monospaced font: a picture fetches nothing from elsewhere.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
svg = re.sub(r'x="([\d.]+)"([^>]*?)textLength="([\d.]+)"[^>]*>((?:&#160;)+)(?=[^<&])', indent, svg)
print(svg.replace("Fira Code", "ui-monospace, Menlo, DejaVu Sans Mono"))
