"""A training that begins with encoders which learned alone, each from one of several inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bioloom.data.learned import Learned
from bioloom.errors import UserError
from bioloom.journey.start import Seen, Start
from bioloom.modalities import Modality
from bioloom.models import Shapes, build
from bioloom.targets import Targets


@dataclass(frozen=True)
class JoinedStart(Start):
    """Encoders that learned without labels, by the name of the input; all other weights begin at random.

    joint: the network that joins them
    """

    joint: str = ""
    parts: Mapping[str, Start] = field(default_factory=dict)

    @property
    def labelled(self) -> bool:
        """They learned without labels."""
        return False

    @property
    def learned(self) -> Learned | None:
        """Records of single inputs are not recognised among records of all."""
        return None

    def predicts(self, targets: Targets) -> bool:
        """Encoders predict nothing."""
        return False

    def modality(self, name: str) -> Modality | None:
        """What was learned about an input; None for one that was not learned from alone."""
        return self.parts[name].modality(name) if name in self.parts else None

    def seen(self, inputs: Mapping[str, pd.DataFrame]) -> Seen | None:
        """See `learned`."""
        return None

    def weights(
        self, shapes: Shapes, targets: Targets, settings: Mapping[str, Any], outputs: int, member: int = 0
    ) -> dict[str, Tensor]:
        """The weights of the encoders by their names in the joint network; each member of a mean begins with the same.

        Raises UserError where the encoder of an input takes none of them: its layers are of other sizes.
        """
        with torch.random.fork_rng(devices=[]):
            fresh = build(self.joint, shapes, outputs, settings)
        own, found = fresh.state_dict(), dict[str, Tensor]()
        for name, start in self.parts.items():
            taken = fresh.taken(name, start.network.state_dict())
            if not taken or any(own[key].shape != each.shape for key, each in taken.items()):
                raise UserError(
                    f'The encoder of "{name}" has layers of other sizes than the one that learned alone.',
                    where="[model.settings]",
                    fix="leave out the settings that change sizes",
                )
            found |= taken
        return found

    def words(self, targets: Targets) -> str:
        """What is taken over, in a sentence for people."""
        return (
            f'The encoders of {", ".join(self.parts)} in the network "{self.joint}" begin with what they learned without '
            "labels; all other weights begin at random."
        )
