"""The small data sets that come with bioloom, for the demo, for tests and to try things on.

Licences, sources and citations of all of them are in bundled/ATTRIBUTION.md, beside the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bioloom.registry import Registry


@dataclass(frozen=True)
class Region:
    """A stretch of a sequence column that is known to matter, start to end, 0-based half-open."""

    column: str
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class DataSet:
    """A data set with what one must know before training on it.

    file:     name in the folder of bundled files (or an absolute path, where a plugin brings its own)
    target:   the column that is predicted unless another one is named
    task:     what predicting it is called, such as "regression"
    citation: whom to cite when results on these data are published
    regions:  what is known about its sequences, for explanations to point at
    """

    name: str
    file: str
    title: str
    rows: int
    target: str
    task: str
    licence: str
    source: str
    citation: str
    regions: tuple[Region, ...] = ()


datasets: Registry[DataSet] = Registry("data set", "bioloom.data.bundled", "bioloom.datasets")
"""All data sets by name."""


def path(name: str) -> Path:
    """Where the file of a data set is. Raises UserError for an unknown name."""
    return Path(__file__).parent / "bundled" / datasets[name].file


datasets.register(
    DataSet(
        name="lac_promoter",
        file="lac_promoter.csv.gz",
        title="E. coli lac promoter variants of 75 nt driving GFP, sorted by fluorescence into ten bins",
        rows=50_518,
        target="expression",
        task="regression",
        licence="MIT",
        source="the example data of MAVE-NN 1.1.4 (mavenn), file sortseq",
        citation="Kinney JB, Murugan A, Callan CG, Cox EC (2010) Using deep sequencing to characterize the "
        "biophysical mechanism of a transcriptional regulatory sequence. PNAS 107:9158-9163. "
        "doi:10.1073/pnas.1004290107",
        regions=(
            Region("sequence", "CRP site", 4, 26),
            Region("sequence", "−35 box", 39, 45),
            Region("sequence", "−10 box", 63, 69),
        ),
    )
)
datasets.register(
    DataSet(
        name="ecoli_promoters_106",
        file="ecoli_promoters_106.csv",
        title="E. coli promoters and other sequences of 57 nt",
        rows=106,
        target="promoter",
        task="binary",
        licence="CC BY 4.0",
        source="UCI Machine Learning Repository, Molecular Biology (Promoter Gene Sequences)",
        citation="Harley C, Reynolds R, Noordewier M (1990) Molecular Biology (Promoter Gene Sequences). UCI "
        "Machine Learning Repository. doi:10.24432/C5S01D",
    )
)
datasets.register(
    DataSet(
        name="splice_junctions",
        file="splice_junctions.csv.gz",
        title="Primate splice junctions of 60 nt: donor (EI), acceptor (IE) or neither (N)",
        rows=3_190,
        target="site",
        task="multiclass",
        licence="CC BY 4.0",
        source="UCI Machine Learning Repository, Molecular Biology (Splice-junction Gene Sequences)",
        citation="Molecular Biology (Splice-junction Gene Sequences) (1991). UCI Machine Learning Repository. "
        "doi:10.24432/C5M888",
    )
)
datasets.register(
    DataSet(
        name="manufacturing_yield",
        file="manufacturing_yield.csv.gz",
        title="Biological raw material and process variables of a pharmaceutical process, and its yield",
        rows=176,
        target="yield",
        task="regression",
        licence="MIT",
        source="the R package modeldata, data set chem_proc_yield",
        citation="Kuhn M, Johnson K (2013) Applied Predictive Modeling. Springer. "
        "doi:10.1007/978-1-4614-6849-3",
    )
)
