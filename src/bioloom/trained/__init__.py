"""The trained model: what is delivered, how it is stored, and what it tells beside a prediction.

model    the model and its verbs
asides   intervals, sets of classes and warnings beside each prediction
asked    what it is asked to explain
storing  the model folder
"""

from __future__ import annotations

from bioloom.trained.asked import Asked
from bioloom.trained.model import FAST, Model, Values
from bioloom.trained.storing import FORMAT, load, save

__all__ = ["FAST", "FORMAT", "Asked", "Model", "Values", "load", "save"]
