"""Claim: maps from sequence to function tell as many bits of unseen records as those of MAVE-NN, in at most a third of its
time: 5' splice sites (MPSA) with four maps, TDP-43 with the additive one. Beside them the lac promoter sorted into ten bins,
where MAVE-NN's tutorial has a model of thermodynamics, and a map of neighbours is asked here.

The time is that of encoding and fitting one network of each side; MAVE-NN is set as in its own tutorials, and where its
Python is not named, the times that are written in these stand beside ours. Bits are worked out by one estimator for both.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Measured, Side, compare, fresh, peer_python, report, timed

DATA = Path(os.environ.get("BIOLOOM_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDER = Path(tempfile.gettempdir()) / "bioloom-benchmark-maps"

CASES = {
    "additive": ("rna/splice_site_mpsa.csv.gz", "psi_log10", "ACGU", 0.238),
    "neighbour": ("rna/splice_site_mpsa.csv.gz", "psi_log10", "ACGU", 0.345),
    "pairwise": ("rna/splice_site_mpsa.csv.gz", "psi_log10", "ACGU", 0.362),
    "blackbox": ("rna/splice_site_mpsa.csv.gz", "psi_log10", "ACGU", 0.459),
    "tdp43": ("protein/tdp43.csv.gz", "score", "ACDEFGHIKLMNPQRSTVWY*", 2.042),
    "lac": ("dna/lac_promoter.csv.gz", "expression", "ACGT", 0.689),
}
"""File, target, letters, and the bits that MAVE-NN's tutorials report."""

ASKED: dict[str, dict] = {"tdp43": {"loss": "skewed_t", "batch_size": 512, "learning_rate": 0.01}}
"""What differs from the defaults, chosen on validation records; MAVE-NN fits a skewed t everywhere, tuned case by case."""

BINS = 10
"""Bins that cells with variants of the lac promoter were sorted into."""

WRITTEN = {"pairwise": 44.1, "blackbox": 21.7, "tdp43": 137.7}
"""Seconds that training took in MAVE-NN's tutorials, on their machine."""


def _read(case: str):
    import pandas as pd

    file, target, letters, _ = CASES[case]
    frame = pd.read_csv(DATA / file)
    return frame["sequence"], frame[target].to_numpy(dtype="float32"), frame["split"].to_numpy(), letters


def _keep(side: str, case: str, phi) -> None:
    import numpy as np

    FOLDER.mkdir(exist_ok=True)
    np.save(FOLDER / f"{side}-{case}.npy", phi)


def _ours(case: str) -> None:
    import numpy as np
    import pandas as pd
    import torch

    from bioloom.modalities import modalities
    from bioloom.models import Outputs, networks
    from bioloom.models.sequence_map import SequenceMap
    from bioloom.recipe import TrainingRecipe
    from bioloom.tasks import TASKS
    from bioloom.training.loop import Job, fit
    from bioloom.training.plan import plan

    sequences, value, part, _ = _read(case)
    train, validation = (np.flatnonzero(part == each) for each in ("train", "validation"))
    name = {"tdp43": "additive_map", "lac": "neighbour_map"}.get(case, f"{case}_map")
    frame = pd.DataFrame({"sequence": sequences})
    modality = modalities[{"tdp43": "protein", "lac": "dna"}.get(case, "rna")].fit(frame.iloc[train])
    kept = []

    def work() -> None:
        encoded = modality.encode(frame)
        recipe = TrainingRecipe(**ASKED.get(case, {}))
        if case == "lac":  # nearly all variants were seen once; of the others the mean bin is rounded
            task, truth, asked = TASKS["multiclass"], value.round(), Outputs(classes=BINS)
        else:
            task, truth = TASKS["regression"], (value - value[train].mean()) / value[train].std()
            head = task.head(recipe.loss)
            asked = Outputs(beside=0 if head is None else head.per_target - 1)
        settings = networks[name].for_outputs(networks[name].Settings().model_dump(), asked)
        job = Job(
            network=name, settings=settings, outputs=asked.classes or 1 + asked.beside,
            inputs={"sequence": encoded}, truth=truth[:, None],
            weight=np.ones(len(value), dtype=np.float32), train=train, validation=validation,
            task=task, plan=plan(recipe, len(train), networks[name], "normal", "cpu"),
        )  # fmt: skip
        kept.extend([fit(job).network, encoded])

    timed(work)
    network, encoded = kept
    assert isinstance(network, SequenceMap)
    resident, found = encoded.on("cpu"), []
    with torch.inference_mode():
        for rows in torch.arange(len(value)).split(4096):
            found.append(network.latent(*resident.batch(rows))[:, 0].numpy())
    _keep("bioloom", case, np.concatenate(found))


def _theirs(case: str) -> None:
    import mavenn
    import numpy as np

    sequences, value, part, _ = _read(case)
    learned = part != "test"
    model_settings: dict = {"ge_noise_model_type": "SkewedT", "ge_heteroskedasticity_order": 2}
    fit_settings: dict = {"learning_rate": 1e-3, "epochs": 1000, "early_stopping": True, "verbose": False}
    fit_settings |= {"batch_size": 200, "early_stopping_patience": 10, "linear_initialization": False}
    if case in ("pairwise", "blackbox"):
        fit_settings["batch_size"] = 50
    if case == "blackbox":
        fit_settings["learning_rate"] = 5e-4
        model_settings["gpmap_kwargs"] = {"hidden_layer_sizes": [10] * 5, "features": "pairwise"}
    if case == "tdp43":
        fit_settings |= {
            "epochs": 500,
            "batch_size": 64,
            "early_stopping_patience": 25,
            "linear_initialization": True,
        }
    model = mavenn.Model(
        L=len(sequences[0]),
        alphabet="protein*" if case == "tdp43" else "rna",
        regression_type="GE",
        gpmap_type={"neighbour": "neighbor", "tdp43": "additive"}.get(case, case),
        **model_settings,
    )

    def work() -> None:
        flags = part[learned] == "validation"
        model.set_data(x=sequences[learned], y=value[learned], validation_flags=flags, verbose=False)
        model.fit(**fit_settings)

    timed(work)
    _keep("mavenn", case, np.asarray(model.x_to_phi(sequences)).ravel())


def bioloom_additive() -> None:
    _ours("additive")


def bioloom_neighbour() -> None:
    _ours("neighbour")


def bioloom_pairwise() -> None:
    _ours("pairwise")


def bioloom_blackbox() -> None:
    _ours("blackbox")


def bioloom_tdp43() -> None:
    _ours("tdp43")


def bioloom_lac() -> None:
    _ours("lac")


def mavenn_additive() -> None:
    _theirs("additive")


def mavenn_neighbour() -> None:
    _theirs("neighbour")


def mavenn_pairwise() -> None:
    _theirs("pairwise")


def mavenn_blackbox() -> None:
    _theirs("blackbox")


def mavenn_tdp43() -> None:
    _theirs("tdp43")


def bits(side: str, case: str, which: str = "test") -> str:
    """Predictive information on unseen records, with its interval."""
    import numpy as np

    from bioloom.evaluation.information import predictive_information

    _, value, part, _ = _read(case)
    rows = part == which
    told = predictive_information(value[rows], np.load(FOLDER / f"{side}-{case}.npy")[rows])
    return f"{told.value:.3f} ({told.low:.3f} to {told.high:.3f})"


def _validation_only(case: str) -> None:
    """One fit with bits on validation records: for choosing settings, so that the test is not looked at."""
    told = fresh("benchmarks.maps", Side(case, f"bioloom_{case}"))
    print(
        json.dumps({"case": case, "seconds": told["seconds"], "cpu": told["cpu"]}),
        bits("bioloom", case, "validation"),
    )


def main() -> None:
    if sys.argv[1:2] == ["--validation"]:
        for case in sys.argv[2:] or CASES:
            _validation_only(case)
        return
    python = peer_python()
    measured: dict[str, Measured] = {}
    lines = [
        ""
        if python
        else "MAVE-NN left out: name a Python that holds mavenn and tensorflow with BIOLOOM_PEER_PYTHON"
    ]
    for case, (_, _, _, published) in CASES.items():
        sides = [Side(f"bioloom {case}", f"bioloom_{case}")]
        sides += [Side(f"MAVE-NN {case}", f"mavenn_{case}", python)] if python and case != "lac" else []
        measured |= (found := compare("benchmarks.maps", sides, rounds=1))
        ours = found[f"bioloom {case}"].seconds
        told = f"{case}: bioloom {bits('bioloom', case)} bits, MAVE-NN reports {published:.3f}"
        if len(sides) > 1:
            told += f", here {bits('mavenn', case)}; it takes {found[f'MAVE-NN {case}'].seconds / ours:.1f} times as long"
        elif case in WRITTEN:
            told += f" in {WRITTEN[case]:.0f} s on its own machine, {WRITTEN[case] / ours:.1f} times as long"
        lines.append(told)
    report("maps", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
