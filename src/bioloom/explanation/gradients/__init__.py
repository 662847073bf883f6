"""Explainers that follow the slope of the answer: at the record, near it, or on the way to it."""
