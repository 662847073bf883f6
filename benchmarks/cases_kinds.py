"""Data sets of the other kinds of input, as files: pictures, profiles, tables, molecules, structures, positions."""

from __future__ import annotations

import pandas as pd

from benchmarks.cases import DATA, Case, file

MICROBIOMES = (
    ("cirrhosis", "Cirrhosis from the gut microbiome", "cirrhosis", 0.93, "random forest .945"),
    ("colorectal", "Colorectal cancer from the gut microbiome", "cancer", 0.85, "random forest .873"),
    ("t2d", "Type 2 diabetes from the gut microbiome", "t2d", 0.74, "random forest .744"),
)
"""Name, title, the class that is told from all others (small adenomas count as healthy, as in the sources), aim, published."""


def _digits() -> pd.DataFrame:
    frame = pd.read_csv(DATA / "image/mnist_5k.csv.gz", header=None)
    return frame.set_axis([*(f"pixel_{number}" for number in range(784)), "digit"], axis="columns")


def _microbiome(name: str, title: str, positive: str, aim: float, published: str) -> Case:
    return Case(
        name=name,
        title=f"{title}, 10 folds",
        source=file(f"omics/gut_microbiome_{name}.tsv.gz"),
        target="disease",
        metric="roc_auc",
        aim=aim,
        published=published,
        folds=10,
        task="binary",
        positive=positive,
    )


def _solubility(name: str, words: str, split: str) -> Case:
    return Case(
        name=name,
        title=f"Solubility of molecules, {words}",
        source=file("table/esol.csv"),
        target="measured log solubility in mols per litre",
        inputs=("smiles=molecule",),
        metric="rmse",
        aim=0.70,
        split=split,
        published="message passing .58, graph convolutions .97, both on random test molecules",
        at_most=True,
    )


KINDS = (
    Case(
        name="pneumonia",
        title="Pneumonia on chest X-rays of 28 pixels",
        source=file("image/pneumonia_28px.npz"),
        target="label",
        metric="roc_auc",
        aim=0.944,
        published="ResNet-18 AUC .944, accuracy .854",
        also=(("accuracy", 0.86),),
    ),
    Case(
        name="mnist",
        title="Handwritten digits",
        source=_digits,
        target="digit",
        inputs=("pixel_*=image",),
        metric="accuracy",
        aim=0.975,
        published=".98 to .99",
        task="multiclass",
    ),
    *(_microbiome(*each) for each in MICROBIOMES),
    Case(
        name="pbmc68k",
        title="Types of 700 blood cells, 10 folds",
        source=file("omics/pbmc68k_reduced.h5ad"),
        target="bulk_labels",
        metric="macro_f1",
        folds=10,
    ),
    Case(
        name="manufacturing",
        title="Yield of a manufacturing process",
        source=file("table/manufacturing_yield.csv"),
        target="yield",
        metric="rmse",
        aim=1.2,
        published="about 1.1 to 1.2",
        at_most=True,
    ),
    _solubility("esol", "new scaffolds", ""),
    _solubility("esol_random", "random test molecules", "random"),
    Case(
        name="secondary_structure",
        title="Helix, strand or coil of each residue",
        source=file("protein/secondary_structure/sequences.fasta.gz"),
        target="sampled",
        inputs=("sequence",),
        metric="position_accuracy",
        aim=0.66,
        published="convolutions .60 to .65, a language model .85",
        labels=tuple(
            str(DATA / "protein/secondary_structure" / name) for name in ("sampled.fasta.gz", "mask.fasta.gz")
        ),
    ),
    Case(
        name="complexes",
        title="Binding free energy of 81 complexes, 10 folds of families",
        source=file("structure/protein_complexes.csv"),
        target="binding_dg",
        inputs=("structure",),
        metric="pearson",
        aim=0.70,
        published="PRODIGY .737, fitted to these complexes",
        folds=10,
    ),
)
