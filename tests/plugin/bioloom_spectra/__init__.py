"""An example of a plugin for bioloom: a modality and an explainer, one file each, found by entry points."""
