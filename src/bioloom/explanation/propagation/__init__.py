"""Explainers that hand the answer back through the network, operation by operation (`bioloom.explanation.rules`)."""
