"""Rules of attribution for whatever a network calls, whether it is written with modules, functions or methods.

Methods such as DeepLIFT and layer-wise relevance propagation replace the gradient of single operations by rules of their
own. Here a rule belongs to a torch function and not to a module: `RuleMode` sees every call while it is active, looks the
function up by its name, and lets the `Rules` of a method compute it. Nothing is attached to the network; functional,
module and reused-module forms of one network are the same to it; recurrent cells, attention and norms are taken apart
into the few kinds of operation that rules know. What has no rule is refused by name, and only where it matters: when the
explained number depends on it.
"""

from __future__ import annotations

from bioloom.explanation.rules.base import Layer as Layer
from bioloom.explanation.rules.base import Rules as Rules
from bioloom.explanation.rules.flow import flows as flows
from bioloom.explanation.rules.mode import RuleMode as RuleMode
from bioloom.explanation.rules.mode import following as following
from bioloom.explanation.rules.relevance import Relevance as Relevance
from bioloom.explanation.rules.rescale import Rescale as Rescale
