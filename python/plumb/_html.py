"""The summary of a report for notebooks: one table, no scripts, no addresses, for light and dark themes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ._node import Node
from ._summary import SHOWN_SESSIONS, further, heading, lines, session_heading

# Half-transparent gray is visible on white and on black. Notebooks colour the rows of tables, hence `transparent`.
LINE = "1px solid rgba(128,128,128,.45)"
TABLE = f"border-collapse:collapse;border-top:2px solid;border-bottom:{LINE};color:currentColor;background:transparent"
CELL = "padding:.25em .9em;text-align:left;vertical-align:top;background:transparent;color:currentColor"
LABEL = f"{CELL};font-weight:600;white-space:nowrap"
TEXT = f"{CELL};font-variant-numeric:tabular-nums"
TITLE = f"{CELL};font-weight:600;border-bottom:{LINE}"


def html(root: Node) -> str:
    """The summary as an HTML table; all text of the report is escaped."""
    sessions = root["sessions"]
    rows = [_title(heading(root))]
    for session in sessions[:SHOWN_SESSIONS]:
        if len(sessions) > 1:
            rows.append(_title(session_heading(session)))
        rows += _rows(session)
    rows += [_title(text) for text in further(root)]
    return f'<table style="{TABLE}"><tbody>{"".join(rows)}</tbody></table>'


def _rows(session: Node) -> Iterable[str]:
    for label, text in lines(session):
        yield (
            f'<tr style="background:transparent"><th scope="row" style="{LABEL}">{escape(label)}</th>'
            f'<td style="{TEXT}">{escape(text)}</td></tr>'
        )


def _title(text: str) -> str:
    return f'<tr style="background:transparent"><th colspan="2" style="{TITLE}">{escape(text)}</th></tr>'
