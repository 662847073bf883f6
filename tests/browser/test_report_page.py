"""The report in a real browser: nothing sticks out on a phone, nothing is asked of the network, it prints."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import fake_runs
from bioloom.report import render

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here"),
    pytest.mark.slow,
]

MEASURE = """<!DOCTYPE html><iframe id="page" width="{width}" height="2000" src="report.html"></iframe>
<pre id="found"></pre>
<script>
addEventListener("load", () => {{
  const inside = document.getElementById("page").contentWindow;
  const page = inside.document.documentElement;
  const parts = [...page.querySelectorAll("body *")].filter(part => !part.closest(".scroll, .skip, svg, .stack thead, pre"));
  document.getElementById("found").textContent = JSON.stringify({{
    page: page.scrollWidth,
    widest: Math.max(...parts.map(part => part.getBoundingClientRect().right)),
    requests: inside.performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:")),
    images: [...inside.document.images].filter(image => !image.naturalWidth).length,
  }});
}});
</script>"""


def browse(folder: Path, *words: str) -> str:
    """What Chromium, without a network, prints on standard output."""
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
               "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}"]  # fmt: skip
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_nothing_sticks_out_and_nothing_is_loaded(tmp_path: Path, width: int) -> None:
    render(fake_runs.two_inputs(tmp_path))
    (tmp_path / "measure.html").write_text(MEASURE.format(width=width), encoding="utf-8")
    shown = browse(tmp_path, "--virtual-time-budget=5000", "--dump-dom", (tmp_path / "measure.html").as_uri())
    match = re.search(r'<pre id="found">({.*?})</pre>', shown)
    assert match, "the page was not measured"
    found = json.loads(match[1].replace("&quot;", '"'))
    assert found["page"] <= width
    assert found["widest"] <= width
    assert found["requests"] == []
    assert found["images"] == 0, "a figure is not shown"


def test_it_prints(tmp_path: Path) -> None:
    path = render(fake_runs.regression(tmp_path))
    browse(tmp_path, f"--print-to-pdf={tmp_path / 'report.pdf'}", path.as_uri())
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
