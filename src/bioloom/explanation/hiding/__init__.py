"""Explainers that hide parts of a record, and ask the network about what is left."""
