"""Explainers that change, take out and put in letters (`bioloom.explanation.locality` makes that fast)."""
