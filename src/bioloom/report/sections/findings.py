"""Evaluation: what the checks asked and found, the worst first, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.templating import fill

SEVERITIES = {"problem": "✗ Problem", "warning": "! Warning", "note": "i Note", "ok": "✓ Fine"}
"""From the worst to the best, as the page calls them; each has a sign, so that colour is not needed."""


def render(facts: Facts) -> Markup | None:
    """What needs attention, sorted by severity, and a short list of what does not."""
    findings = [_row(finding) for finding in facts.result.get("findings") or ()]
    if not findings:
        return None
    order = list(SEVERITIES)
    ranked = sorted(findings, key=lambda row: order.index(row["severity"]))
    values = {
        "rows": [row for row in ranked if row["severity"] != "ok"],
        "fine": [row for row in ranked if row["severity"] == "ok"],
    }
    return fill("findings.html", values)


def _row(finding: Mapping[str, Any]) -> dict[str, str]:
    severity = str(finding["severity"])
    known = severity if severity in SEVERITIES else "warning"
    return {
        "severity": known,
        "called": SEVERITIES[known],
        "question": str(finding["question"]),
        "answer": str(finding["answer"]),
        "fix": str(finding.get("fix") or ""),
    }


findings = sections.register(Section("findings", "evaluation", 5, "What the checks found", render))
