"""The recipe: everything a run was told to do, as TOML. Defaults < recipe file < --set key=value.

A recipe names parts and numbers only; nothing in it can name a place in code. Unknown keys are refused with
the closest known one, and all mistakes are reported at once. A run writes its resolved recipe back.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bioloom.errors import UserError, did_you_mean
from bioloom.recipe_parts import AugmentationRecipe, Part


class RegionRecipe(Part):
    """A named stretch of a sequence, start to end, 0-based half-open; explanations point at it."""

    name: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)


class InputRecipe(Part):
    """One input of a record: which columns, and what they are."""

    modality: str
    columns: tuple[str, ...] = Field(min_length=1)
    regions: tuple[RegionRecipe, ...] = ()


class DataRecipe(Part):
    """Where the records come from and what each column is for."""

    file: str = Field(
        default="", description="a file, a folder, or the name of a data set that comes with bioloom"
    )
    labels: str | tuple[str, ...] = Field(
        default="", description="a table of labels, joined by id to a FASTA file, or several"
    )
    record: str = Field(
        default="", description="in a table with a row for each point in time, the column of records"
    )
    time: str = Field(default="", description="the column of times in such a table, as numbers")
    join: tuple[str, ...] = Field(
        default=(), description="FILE=COLUMN: columns of other files, joined by a column"
    )
    target: tuple[str, ...] = Field(default=(), description="the column or columns to predict")
    inputs: dict[str, InputRecipe] = Field(
        default_factory=dict, description="inputs by name; empty: found by looking"
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="columns that are never an input, such as one that is known only after the target",
    )
    task: str = Field(default="auto", description="auto, regression, binary or multiclass")
    positive: str | None = Field(default=None, description="the class whose probability is predicted")
    id: str = Field(
        default="", description='column of record names; empty: a column called "id", else row numbers'
    )
    group: str = Field(
        default="", description='column of groups that stay together; empty: a column called "group"'
    )
    order: str = Field(
        default="", description="column that says what came first (dates, numbers, batches), for --split time"
    )
    chromosome: str = Field(
        default="",
        description="column of chromosomes, for --split chromosome; empty: found by its name, or ids",
    )
    weight: str = Field(
        default="", description='column of record weights; empty: a column called "sample_weight"'
    )
    replicate: str = Field(default="", description='column of replicates; empty: a column called "replicate"')
    error: tuple[str, ...] = Field(
        default=(),
        max_length=2,
        description="column of standard errors of the target, or its two columns of 95 % bounds; empty: by name",
    )
    reads: str = Field(
        default="", description="column of reads from which the target was worked out; empty: by name"
    )
    sha256: str = Field(
        default="", description="hash of the data this recipe was written for; empty: not checked"
    )


class SplitRecipe(Part):
    """How records are divided into training, validation and test."""

    method: str = Field(default="auto", description="auto, a method, or the name of a column")
    validation: float = Field(default=0.15, gt=0, lt=0.9, description="share of records for validation")
    test: float = Field(default=0.15, gt=0, lt=0.9, description="share of records for the test")
    similarity: float | None = Field(
        default=None, gt=0, le=1, description="identity above which records stay together"
    )
    engine: Literal["bioloom", "mmseqs2"] = Field(
        default="bioloom", description="what searches for near copies; mmseqs2 comes with the extra homology"
    )
    by: tuple[str, ...] = Field(
        default=(),
        description="inputs that the test must not share with training, such as the drug of pairs; empty: no special one",
    )
    folds: int = Field(
        default=0, ge=0, description="folds of a cross-validation; 1: a single test; 0: by number of records"
    )
    repeats: int = Field(default=1, ge=1, description="how often the records are dealt to folds anew")


class ModelRecipe(Part):
    """Which network learns, with its own settings."""

    network: str = Field(default="auto", description="auto, or one that `bioloom parts` lists")
    settings: dict[str, Any] = Field(default_factory=dict, description="settings of that network")
    start: str = Field(
        default="", description="a run folder; the network begins with the weights of its network"
    )
    start_sha256: str = Field(default="", description="hash of the model in that folder; empty: not checked")
    pretrain: str = Field(default="", description="a file without labels that the network learns from first")
    pretrain_sha256: str = Field(default="", description="hash of that file; empty: not checked")
    pretraining: dict[str, Any] = Field(default_factory=dict, description="settings of that first training")


class TrainingRecipe(Part):
    """How the network learns; 0 or "auto" lets the budget and the data decide."""

    epochs: int = Field(default=0, ge=0, description="passes over the training records; 0: by budget")
    batch_size: int = Field(default=0, ge=0, description="records per step; 0: by number of records")
    members: int = Field(
        default=0, ge=0, description="networks that differ in their seed and are averaged; 0: by budget"
    )
    distil: bool | None = Field(
        default=None,
        description="also train one network to say what their mean says, for fast predictions; empty: by budget",
    )
    learning_rate: float = Field(
        default=0.0, ge=0, description="peak of the schedule; 0: by network and optimiser"
    )
    optimiser: str = Field(default="adamw", description="how weights follow gradients, such as sgd or adam")
    schedule: Literal["one_cycle", "cosine", "plateau", "constant"] = Field(
        default="one_cycle", description="the learning rate along the run"
    )
    weight_decay: float | None = Field(
        default=None, ge=0, description="decoupled weight decay; empty: 0.01 for adamw, none for others"
    )
    l1: float = Field(default=0.0, ge=0, description="penalty on the size of weights; makes many of them 0")
    l2: float = Field(default=0.0, ge=0, description="penalty on the squares of weights, in the gradient")
    patience: int = Field(
        default=0, ge=0, description="epochs without a better validation loss before stopping; 0: by budget"
    )
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    accumulate: int = Field(default=1, ge=1, description="batches whose gradients make one step")
    average: Literal["ema", "swa", "none"] = Field(
        default="ema",
        description="average of the weights that is kept: running, of the last quarter, or none",
    )
    loss: Literal["auto", "squared", "huber", "quantile", "heteroscedastic", "cauchy", "skewed_t"] = Field(
        default="auto",
        description="of numbers. huber: far-off ones count less; others but squared: the spread is learned too",
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of each class label that is spread over all classes"
    )
    focal: float = Field(
        default=0.0, ge=0, description="exponent by which records that are easy to classify count less"
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="balanced: each class counts as much as any other while learning"
    )
    lora: int = Field(
        default=0, ge=0, description="rank of changes beside layers learned before (LoRA); 0: all"
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        default="auto", description="number format of the arithmetic"
    )


TRIALS_AT_MOST = 10_000


def seconds(text: Any) -> Any:
    """Seconds from words such as "90s", "10m" or "1h30m"; what is no such word is left for the recipe to refuse."""
    if not isinstance(text, str):
        return text
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip().lower())
    if not found or not any(found.groups()):
        raise ValueError('a time is written like "10m", "90s" or "1h30m"')
    return sum(int(number or 0) * unit for number, unit in zip(found.groups(), (3600, 60, 1), strict=True))


class SearchRecipe(Part):
    """How other candidates than the usual network are tried, on validation records only."""

    trials: int | None = Field(
        default=None,
        ge=0,
        le=TRIALS_AT_MOST,
        description="candidates that are tried, the default included; 0: none; empty: by budget",
    )
    time: Annotated[float, BeforeValidator(seconds)] = Field(
        default=0.0,
        ge=0,
        description='seconds, or words such as "10m": half of it is spent on trying candidates; 0: by budget',
    )
    taken: str = Field(
        default="",
        description="what an earlier search took, written by the run that did it; told in the report",
    )


class EvaluationRecipe(Part):
    """How the score is judged."""

    draws: int = Field(default=1000, ge=100, description="bootstrap draws of each interval")
    shuffles: int = Field(default=0, ge=0, description="trainings on shuffled labels; 0: by budget")
    shares: tuple[float, ...] | None = Field(
        default=None,
        description="shares of the training records for the learning curve, such as [0.1, 0.3]; empty: by budget",
    )
    seeds: int | None = Field(
        default=None, ge=1, description="trainings that differ only in the seed; empty: by budget"
    )
    resamples: int = Field(
        default=0,
        ge=0,
        description="trainings on bootstrap samples of the training records, for bias and variance",
    )
    capacity: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict,
        max_length=1,
        description="one setting of the network and values to try, such as {filters=[4, 16, 64]}, for the capacity curve",
    )
    confidence: float = Field(
        default=0.9, gt=0.5, lt=1, description="how often a prediction interval should hold the measurement"
    )
    missed_cost: float | None = Field(
        default=None,
        gt=0,
        description="cost of a missed positive relative to a false alarm; moves the threshold",
    )
    prevalence: float | None = Field(
        default=None, gt=0, lt=1, description="share of positives where the model will be used"
    )
    deliver: Literal["auto", "network", "simple", "boosting", "forest", "nearest"] = Field(
        default="auto", description="what predict uses; auto: what the verdict says"
    )


class ExplanationRecipe(Part):
    """What is explained in the report."""

    methods: tuple[str, ...] = Field(default=(), description="explainers; empty: the default of the modality")
    records: int = Field(default=0, ge=0, description="test records explained; 0: by budget")


def _no_search(value: Any) -> Any:
    """`search = "none"` is the short way to say that nothing is tried."""
    return {"trials": 0} if value == "none" else value


class Recipe(Part):
    """Everything a run was told to do."""

    data: DataRecipe = DataRecipe()
    split: SplitRecipe = SplitRecipe()
    encoding: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="settings of modalities by name, such as encoding.omics.scale"
    )
    model: ModelRecipe = ModelRecipe()
    training: TrainingRecipe = TrainingRecipe()
    augmentation: AugmentationRecipe = AugmentationRecipe()
    search: Annotated[SearchRecipe, BeforeValidator(_no_search)] = SearchRecipe()
    evaluation: EvaluationRecipe = EvaluationRecipe()
    explanation: ExplanationRecipe = ExplanationRecipe()
    budget: Literal["fast", "normal", "thorough"] = "normal"
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: int = Field(default=0, ge=0, description="processor threads; 0: by size of the network")
    trackers: tuple[str, ...] = Field(
        default=(), description="where the course of the training is written too: tensorboard, mlflow"
    )


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe file; relative paths in it are relative to the file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("There is no such recipe.", where=str(path), fix="correct the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"The recipe is not valid TOML: {error}.", where=str(path), fix="correct that line"
        ) from None
    for section, key in (("data", "file"), ("data", "labels"), ("model", "start"), ("model", "pretrain")):
        part = content.get(section)
        named = part.get(key) if isinstance(part, dict) else None
        if isinstance(named, str) and named:
            content[section][key] = _beside(path, named)
        elif isinstance(named, list):
            content[section][key] = [_beside(path, each) for each in named]
    return resolve(content, overrides or {}, where=str(path))


def _beside(path: Path, named: Any) -> Any:
    """A file named in a recipe, where it lies beside the recipe."""
    there = isinstance(named, str) and (path.parent / named).exists()
    return str(path.parent / named) if there else named


def resolve(content: Mapping[str, Any], overrides: Mapping[str, Any], where: str = "") -> Recipe:
    """A recipe from nested values and from dotted overrides such as {"training.epochs": 20}."""
    merged = _copy(content)
    for dotted, value in overrides.items():
        _put(merged, dotted.split("."), value)
    try:
        return Recipe.model_validate(merged)
    except ValidationError as error:
        mistakes = [_mistake(detail) for detail in error.errors()]
        raise UserError(
            "The recipe is not right: " + "; ".join(mistakes),
            where=where,
            fix="correct the keys or values named above",
        ) from None


def parse_settings(words: Sequence[str]) -> dict[str, Any]:
    """Turn `key=value` words of the command line into dotted overrides; values are TOML, bare words are text."""
    overrides: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.strip():
            raise UserError(
                f'"{word}" is not key=value.', where="--set", fix="write it like --set training.epochs=20"
            )
        try:
            overrides[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            overrides[key.strip()] = text
    return overrides


def dumps(recipe: Recipe, *, short: bool = False) -> str:
    """The recipe as TOML; what is not set is left out.

    short: also leave out what is as it would be anyway
    """
    return tomli_w.dumps(_filled(recipe.model_dump(exclude_none=True, exclude_defaults=short)))


def keys() -> list[str]:
    """All dotted keys, in the order of a recipe file."""
    return list(_keys(Recipe, ""))


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _keys(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without empty texts, lists and sections."""
    inside = {key: _filled(value) if isinstance(value, dict) else value for key, value in content.items()}
    return {key: value for key, value in inside.items() if value not in ("", (), [], {})}


def _copy(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, Mapping) else value for key, value in content.items()}


def _put(content: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        below = content.setdefault(key, {})
        if not isinstance(below, dict):
            raise UserError(
                f'"{key}" has no settings below it.', where=f"--set {'.'.join(path)}", fix="correct the key"
            )
        content = below
    content[path[-1]] = value


def _mistake(detail: Any) -> str:
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f'"{key}" is unknown.{did_you_mean(key, keys())}'
    return f'"{key}": {detail["msg"].removeprefix("Value error, ")} (got {detail["input"]!r})'
