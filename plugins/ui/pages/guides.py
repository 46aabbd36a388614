"""The guides of ``docs/``, each page of the screen leading to its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from data_connections.settings import PROJECT
from ui.rendering import render
from ui.visitor import VisitorDep

router = APIRouter(prefix="/help", include_in_schema=False)
DOCS = PROJECT / "docs"
GUIDES = {
    "connections": "screen.md",
    "destinations": "reports.md",
    "submissions": "states.md",
    "deliveries": "reports.md",
    "integrations": "presets.md",
    "actions": "modifications.md",
    "event_types": "reference-data.md",
    "data_types": "data-types.md",
    "credentials": "credentials.md",
    "activity": "operating.md",
    "expected": "operating.md",
    "health": "operating.md",
}
"""The guide of each page."""


@router.get("/images/{image}")
def picture(visitor: VisitorDep, image: str) -> FileResponse:
    """Return a picture of a guide."""
    pictures = {path.name: path for path in (DOCS / "images").glob("*.png")}
    if image not in pictures:
        raise HTTPException(404, f"There is no picture {image!r}.")
    return FileResponse(pictures[image], media_type="image/png")


@router.get("/{here}")
def guide(request: Request, visitor: VisitorDep, here: str) -> HTMLResponse:
    """Show the guide of a page, or the one of that file name."""
    name = GUIDES.get(here, here)
    guides = {path.name: path for path in sorted(DOCS.glob("*.md"))}
    if name not in guides:
        raise HTTPException(404, f"There is no guide {name!r}.")
    text = _as_html(guides[name], guides[name].stat().st_mtime)
    return render(request, "guide.html", visitor, here="help", guides=guides, name=name, text=text)


@lru_cache(maxsize=64)
def _as_html(path: Path, _changed_at: float) -> Markup:
    """Return a guide of our own as HTML; HTML inside it stays text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("table_open", _table)
    return Markup(parser.render(path.read_text(encoding="utf-8")))  # noqa: S704 - our own file, its HTML disabled


def _code(_renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    """Return code in a box that scrolls, by keyboard too."""
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[at].content)}</code></pre>\n'


def _table(_renderer: RendererHTML, _tokens: Sequence[Token], _at: int, _options: Any, _env: Any) -> str:
    """Begin a table that scrolls where it is wider than the page, by keyboard too."""
    return '<table tabindex="0">\n'
