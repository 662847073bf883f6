import pytest

from bioloom.errors import UserError
from bioloom.models import networks
from bioloom.recipe import TrainingRecipe, resolve
from bioloom.training import device, plan
from bioloom.training.optimisers import optimisers
from bioloom.training.plan import Plan


def planned(records: int, budget: plan.Budget = "normal", **asked: object) -> Plan:
    return plan.plan(TrainingRecipe(**asked), records, networks["cnn"], budget, "cpu")


@pytest.mark.parametrize(
    ("records", "batch_size"),
    [(1, 1), (20, 20), (381, 32), (1_600, 64), (30_516, 128), (300_000, 256), (5_000_000, 512)],
)
def test_batches_grow_with_the_records(records: int, batch_size: int) -> None:
    assert planned(records).batch_size == batch_size


@pytest.mark.parametrize("records", [1, 100, 1_600, 30_516, 10_000_000])
def test_a_larger_budget_trains_longer(records: int) -> None:
    fast, normal, thorough = (planned(records, budget).epochs for budget in ("fast", "normal", "thorough"))
    assert 3 <= fast < normal < thorough <= 200


def test_what_is_asked_for_is_taken() -> None:
    asked = {
        "epochs": 7,
        "batch_size": 100,
        "learning_rate": 0.5,
        "weight_decay": 0.0,
        "patience": 2,
        "clip": 3.0,
        "precision": "bf16",
        "optimiser": "nag",
        "schedule": "plateau",
        "accumulate": 4,
        "average": "swa",
        "l1": 0.1,
        "l2": 0.2,
        "loss": "huber",
        "label_smoothing": 0.3,
        "focal": 2.0,
        "class_weights": "balanced",
        "lora": 4,
    }
    assert asked.keys() == Plan.__dataclass_fields__.keys()
    assert asked.keys() == TrainingRecipe.model_fields.keys() - {"members", "distil"}  # of several networks
    assert planned(1_000, **asked) == Plan(**asked)


def test_the_learning_rate_follows_the_batch() -> None:
    small, large = (planned(10_000, batch_size=size).learning_rate for size in (32, 512))
    assert large == pytest.approx(4 * small)
    assert planned(10_000, batch_size=32, accumulate=16).learning_rate == pytest.approx(large)


def test_each_optimiser_brings_its_usual_rate_and_decay() -> None:
    for name, optimiser in optimisers.items():
        plans = planned(1_000, optimiser=name), planned(1_000)
        assert plans[0].learning_rate == pytest.approx(optimiser.rate * plans[1].learning_rate)
        assert plans[0].weight_decay == (0.01 if name == "adamw" else 0.0)
    assert planned(1_000, optimiser="sgd", weight_decay=0.3).weight_decay == 0.3


def test_an_unknown_optimiser_is_told_with_the_key_and_the_closest_one() -> None:
    with pytest.raises(UserError, match='no optimiser called "adamW"') as caught:
        planned(1_000, optimiser="adamW")
    assert 'Did you mean "adamw"?' in caught.value.what
    assert caught.value.where == "training.optimiser"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schedule", "cyclic"),
        ("average", "mean"),
        ("accumulate", 0),
        ("l1", -1),
        ("l2", -1),
        ("weight_decay", -1),
        ("loss", "median"),
        ("label_smoothing", 1),
        ("focal", -0.5),
        ("class_weights", "even"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_key(key: str, value: object) -> None:
    with pytest.raises(UserError, match=f'"training.{key}": '):
        resolve({}, {f"training.{key}": value})


def test_bfloat16_needs_hardware_and_a_network_that_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    for here in (True, False):
        monkeypatch.setattr(plan, "gains_from_bfloat16", lambda name, here=here: here)
        chosen = {
            name: plan.plan(TrainingRecipe(), 1_000, networks[name], "normal", "cpu").precision
            for name in ("cnn", "residual")
        }
        assert chosen == {"cnn": "float32", "residual": "bf16" if here else "float32"}


def test_the_hardware_rule_reads_the_processor_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "processor_flags", lambda: frozenset({"avx2", "avx512_bf16"}))
    assert device.has_bfloat16("cpu")
    monkeypatch.setattr(device, "processor_flags", lambda: frozenset({"avx2"}))
    assert not device.has_bfloat16("cpu")
    assert not device.has_bfloat16("mps")
