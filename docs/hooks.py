"""What the site has that is made when it is built: the live panel on a shipped run, and the help of all verbs.

`mkdocs.yml` names this file; MkDocs calls the functions that begin with ``on_``.  Nothing is fetched while the site is
built, and a page that would fetch anything while it is read is warned of, which ends a strict build.
"""

from __future__ import annotations

import argparse
import logging
import re
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from cascade_core import CheapestWithinDrop, load_run
from cascade_core.__main__ import VERBS_BY_FILE, parser
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live import live_css
from cascade_core.rendering.live.data import hand, live_data, packed, words
from cascade_core.rendering.modules import bundled
from cascade_core.rendering.report.pieces import document, file, script_json
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import read_metadata

RUN = Path(__file__).resolve().parents[1] / "cache" / "cifar10-resnet56-fine-heads.parquet"
"""What the panel shows."""

PANEL = "explanation/panel.html"
COMMANDS = "<!-- commands -->"
"""In a page, where the help of all verbs goes."""

FETCHED = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)="((?:https?:)?//[^"]*)"')
"""Addresses of other servers that a browser would ask by itself."""

BODY = """<div id="panel"></div>
<p id="trouble" hidden>This browser cannot show the panel.</p>
<script type="application/json" id="data">{data}</script>"""

FRAMED = """
new ResizeObserver(() => parent.postMessage({ panelHeight: document.body.scrollHeight }, "*")).observe(document.body);
"""
"""Tells the page around the panel how high it is."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the panel to the files of the site."""
    files.append(File.generated(config, PANEL, content=panel(RUN)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the help of all verbs."""
    return markdown.replace(COMMANDS, commands()) if COMMANDS in markdown else markdown


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Warn of what a page would fetch from elsewhere."""
    for address in FETCHED.findall(output):
        logging.getLogger("mkdocs.hooks").warning("%s fetches %s", page.file.src_uri, address)
    return output


def panel(run: Path) -> str:
    """The report's live panel by itself, as one HTML file: `CheapestWithinDrop` swept over a run."""
    split = Split()
    exploration = explore(halves(load_run(run), split), CheapestWithinDrop, split)
    metadata, test = read_metadata(run), exploration.test
    axis = confidence_axis(test.score, len(metadata["class_names"]), test.confidence)
    position, said = exploration.opening, words(Origin.of(metadata["source"]), run.stem)
    data = live_data(exploration, axis, initial=position, meter=exploration.meter, name=run.stem, **said)
    opened = packed({**data, "hand": hand(Setting(exploration=exploration, position=position))})
    script = bundled("report/report.js") + FRAMED
    style = f"{live_css()}{file('report.css')}body {{ padding: 0.5rem; }}"
    return document("What a cascade is", BODY.format(data=script_json(opened)), style=style, script=script)


def commands() -> str:
    """The help of all verbs, as Markdown."""
    verbs = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    names = [name for names in VERBS_BY_FILE.values() for name in names]
    return "\n".join(f"## {name}\n\n<pre>{escape(verbs.choices[name].format_help())}</pre>\n" for name in names)
