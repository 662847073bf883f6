"""Explanation: what in the inputs moves the prediction, by each method, with how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import BYTES_AT_MOST, Image, from_file
from bioloom.report.numbers import number, plural
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """Each explanation with its figures."""
    entries = facts.result.get("explanation") or []
    if not entries:
        return None
    images = _images(facts, entries)
    several = len({str(entry["input"]) for entry in entries}) > 1
    shown = [_entry(entry, next(images), several) for entry in entries]
    seen: set[str] = set()
    for entry, values in zip(entries, shown, strict=True):
        # The first method of each input stays open, and so does what is said of the model as a whole.
        values["folded"] = entry["input"] in seen and "model" not in entry
        seen.add(entry["input"])
    return fill("explanation.html", {"entries": shown})


def _entry(entry: Mapping[str, Any], images: list[Image], several: bool) -> dict[str, Any]:
    about = f" of {entry['input']}" if several else ""
    called = str(entry.get("title") or entry["method"])
    return {
        "title": called + about,
        "text": str(entry.get("text") or ""),
        "rows": list(_rows(entry)),
        "images": images,
        "missing": len(entry.get("figures") or ()) - len(images),
    }


def _rows(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if entry.get("model"):
        yield "Asked", f"the model that predict uses: {entry['model']}"
    if entry.get("records"):
        yield "Explained", plural(int(entry["records"]), "test record")
    if entry.get("effect"):
        yield "Shown", str(entry["effect"])
    if entry.get("reference"):
        yield "Compared with", str(entry["reference"])
    files = [str(each["file"]) for each in entry.get("files") or ()]
    if files:
        yield "Files for other programs", ", ".join(files)
    delta = entry.get("delta")
    if delta:
        gap = f"median {number(delta['median'], 2)}, worst {number(delta['worst'], 2)}"
        yield "Completeness gap", f"{gap} (the parts should add up to the whole; the nearer to 0 the better)"
    yield from _quality(entry.get("quality") or {})
    fit = entry.get("fit")
    if fit:
        share = f"median {number(fit['median'], 2)}, worst {number(fit['worst'], 2)}"
        yield (
            "Local fit (R²)",
            f"{share} (1: the straight line says what the network says; below 0.5 do not believe it)",
        )
    if entry.get("error") is not None:
        yield (
            "Error by chance",
            f"{number(100 * float(entry['error']), 2)} % of a record's largest number, on average over its parts",
        )


def _quality(quality: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How well a picture points, and how far the networks of a mean agree on it, where these were measured."""
    if quality.get("ahead_low") is not None:
        yield "Points at what the model uses", _pointing(quality)
    if quality.get("like_other_members") is not None:
        alike = number(quality["like_other_members"], 2)
        yield (
            "Alike between networks",
            f"{alike} (Spearman's correlation of the maps of the networks of the mean, each explained by itself; 1: the same)",
        )


def _pointing(quality: Mapping[str, Any]) -> str:
    """Whether a picture points better than one drawn at random, and by how much."""
    low, high = (number(quality[name], 2) for name in ("ahead_low", "ahead_high"))
    lead = f"{number(quality['ahead_of_random'], 2)} [{low}, {high}]"
    verdict = "Better than" if quality["ahead_low"] > 0 else "No better for sure than"
    advice = "" if quality["ahead_low"] > 0 else " Do not believe it."
    return (
        f"{verdict} a map drawn at random, by {lead}: the prediction when the strongest parts are put back into nothing, "
        f"less that when they are taken away, 1 being a whole record ({plural(int(quality['records']), 'record')}).{advice}"
    )


def _images(facts: Facts, entries: Sequence[Mapping[str, Any]]) -> Iterator[list[Image]]:
    """The figures of each entry, until the page would become too large to mail."""
    left = BYTES_AT_MOST
    for entry in entries:
        images = []
        for figure in entry.get("figures") or ():
            alt, title = str(figure.get("alt") or ""), str(figure.get("title") or "")
            image = from_file(facts.folder, str(figure["file"]), alt=alt, title=title)
            if image is not None and len(image.source) <= left:
                left -= len(image.source)
                images.append(image)
        yield images


explanation = sections.register(Section("explanation", "explanation", 10, "Attributions", render))
