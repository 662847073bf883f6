"""Model: which network learned, why this one, its layers and its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.questions import baseline_title
from bioloom.report.templating import fill
from bioloom.report.words import in_sentence

LAYERS_AT_MOST = 12
"""Longer tables of layers are folded."""


def render(facts: Facts) -> Markup:
    """The network."""
    model = facts["model"]
    settings = model.get("settings") or {}
    values = {
        "name": str(model["network"]),
        "title": str(model.get("title") or ""),
        "parameters": model["parameters"],
        "members": int(model.get("members") or 1),
        "fast": str(facts.part("distilled").get("text") or ""),
        "gain": str(facts.part("ensemble").get("text") or ""),
        "training_records": facts["split"]["counts"]["train"],
        "reason": str(model.get("reason") or "").rstrip("."),
        "settings": [(str(key).replace("_", " "), _value(value)) for key, value in settings.items()],
        "at_most": LAYERS_AT_MOST,
        "rotated": bool(facts["training"].get("rotated")),
        "delivered": _delivered(facts),
        "layers": [_layer(layer) for layer in model.get("layers") or ()],
    }
    return fill("network.html", values)


def _delivered(facts: Facts) -> str:
    """Whose predictions `bioloom predict` gives, and why."""
    delivered, baselines = facts["model"].get("delivered"), facts["scores"]["baselines"]
    if delivered is None:
        return ""
    if delivered == "network":
        other = " A simpler model is kept beside it: --model simple." if "simple" in baselines else ""
        return f"bioloom predict gives the predictions of this network.{other}"
    rival = in_sentence(baseline_title(delivered, baselines.get(delivered) or {}))
    asked = (facts.part("recipe").get("evaluation") or {}).get("deliver", "auto") != "auto"
    why = (
        "the recipe asks for it"
        if asked
        else "the network was not clearly better on records that neither had seen"
    )
    return (
        f"bioloom predict gives the predictions of {rival}, because {why}. The network is kept beside it: "
        "--model network. Explanations below are those of the network."
    )


def _layer(layer: Mapping[str, Any]) -> tuple[str, str, str]:
    output = layer.get("output", "")
    size = " × ".join(map(str, output)) if isinstance(output, list | tuple) else str(output)
    return str(layer["layer"]), size, count(layer["parameters"])


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


network = sections.register(Section("network", "model", 10, "Network", render))
