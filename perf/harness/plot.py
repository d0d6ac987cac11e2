"""Charts as SVG, drawn by hand: a bar for each program and row with its spread, and the ratios.

The colours follow the reader's preference for light or dark. Values of one chart may lie far apart, so
bars are on a logarithmic scale from the power of ten below the smallest.
"""

import math
from html import escape

from . import result, spread
from .metrics import METRICS
from .subjects import OURS

WIDTH, LEFT, RIGHT, TOP = 880, 300, 80, 44
BAR, GAP = 12, 12
STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif }
text { fill: #222 } .faint { fill: #666 } .grid { stroke: #ddd } .spread { stroke: #222; stroke-width: 1.5 }
.p0 { fill: #0969da } .p1 { fill: #d4761c } .p2 { fill: #8b949e } .p3 { fill: #8250df } .one { stroke: #cf222e }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117 } text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #30363d }
  .spread { stroke: #e6edf3 } .p0 { fill: #4493f8 } .p1 { fill: #f0883e } .p2 { fill: #6e7681 } .p3 { fill: #a371f7 }
}
"""
COLOURS = 4


class Scale:
    """Positive values on a logarithmic axis."""

    def __init__(self, values):
        self.low = math.floor(math.log10(min(values)) - 1e-9)
        self.high = max(self.low + 1, math.ceil(math.log10(max(values))))

    def x(self, value):
        share = (math.log10(max(value, 10**self.low)) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        return [10.0**power for power in range(self.low, self.high + 1)]


def section(document, name):
    """The rows of a section; those of different units get axes of their own, one below the other."""
    rows = [row for row in document["rows"] if row["section"] == name]
    names = [OURS, *result.peers(document)]
    charts = {}
    for row in rows:
        bars = [(index, result.headline_values(row, program)) for index, program in enumerate(names)]
        bars = [(index, spread.summary(values)) for index, values in bars if values and max(values) > 0]
        if bars:
            charts.setdefault(row["headline"], []).append((row["name"], bars))
    y, parts = TOP, []
    for headline, lines in charts.items():
        metric = METRICS[headline]
        better = f"{'less' if metric.lower_is_better else 'more'} is better; logarithmic"
        y, drawn = _chart(y, f"{metric.title}, {metric.unit or 'count'}; {better}", lines)
        parts += drawn
    return _svg(name, names, parts, y)


def ratios(document):
    """How many times better ours is, row by row, beside the first peer."""
    peers = result.peers(document)
    if not peers:
        return None
    lines = []
    for row in document["rows"]:
        found = result.advantages(row).get(peers[0])
        if found and found["ratio"] > 0:
            low, high = found["low"] or found["ratio"], found["high"] or found["ratio"]
            lines.append((row["name"], [(0, {"median": found["ratio"], "min": low, "max": high, "n": 2})]))
    y, parts = _chart(TOP, f"times better than {peers[0]}; the red line is a draw", lines, one=True) if lines else (TOP, [])
    return _svg(f"{OURS} beside {peers[0]}", [OURS], parts, y)


def _chart(y, title, lines, one=False):
    values = [value for _, bars in lines for _, bar in bars for value in (bar["min"], bar["max"]) if value > 0]
    scale = Scale([*values, 1.0] if one else values)
    top, parts = y + 34, [f'<text x="{LEFT}" y="{y + 14}">{escape(title)}</text>']
    y = top
    for name, bars in lines:
        parts.append(f'<text x="{LEFT - 8}" y="{y + len(bars) * BAR / 2 + 4:.0f}" text-anchor="end">{escape(name)}</text>')
        for index, bar in bars:
            x, middle = scale.x(bar["median"]), y + BAR / 2 - 1
            left, right = sorted((scale.x(1.0) if one else LEFT, x))
            parts.append(f'<rect class="p{index % COLOURS}" x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR - 2}"/>')
            low, high = scale.x(bar["min"]), scale.x(bar["max"])
            if bar["n"] > 1:
                parts.append(f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>')
            parts.append(f'<text x="{max(right, high) + 4:.1f}" y="{y + BAR - 2}">{_short(bar["median"])}</text>')
            y += BAR
        y += GAP
    for tick in scale.ticks():
        x = scale.x(tick)
        kind = "one" if one and tick == 1 else "grid"
        parts.insert(0, f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{y - 6}"/>')
        parts.append(f'<text class="faint" x="{x:.1f}" y="{top - 8}" text-anchor="middle">{_short(tick)}</text>')
    return y + 10, parts


def _short(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _svg(title, names, parts, height):
    legend, x = [], LEFT
    for index, name in enumerate(names):
        legend.append(f'<rect class="p{index % COLOURS}" x="{x}" y="26" width="10" height="10"/>')
        legend.append(f'<text x="{x + 14}" y="35">{escape(name)}</text>')
        x += 30 + 8 * len(name)
    body = "\n".join([f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>', *legend, *parts])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">\n'
            f"<style>{STYLE}</style>\n{body}\n</svg>\n")
