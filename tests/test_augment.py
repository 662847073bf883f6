from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from Bio.Seq import Seq

from bioloom.errors import Interrupted, UserError
from bioloom.modalities import Signal, modalities
from bioloom.modalities.dna import ALPHABET
from bioloom.models import apply, build
from bioloom.models.strands import other_strand
from bioloom.recipe import AugmentationRecipe
from bioloom.tasks import TASKS
from bioloom.training.augment import (
    Augmentation,
    Changes,
    Mixture,
    augment,
    augmentation,
    mutated,
    shifted,
)
from bioloom.training.job import Epoch, fingerprint
from bioloom.training.loop import fit, predict
from simulated import STEADY, job, regression, sequences
from toy_networks import letters, signal

DNA = ("reverse_complement", "shift", "mutation", "mixing")
ALL = Augmentation({"sequence": Changes(True, 2, 0.1)}, mixing=0.3)


def text(x: torch.Tensor) -> str:
    """One record (4, positions) as letters, "-" where there is nothing."""
    return "".join("-" if not column.any() else "ACGT"[int(column.argmax())] for column in x.T)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_the_other_strand_is_that_of_biopython() -> None:
    given = signal(letters(6, 12), [12, 11, 5, 4, 1, 2])
    other = other_strand(given)
    for before, after in zip(given.x, other.x, strict=True):
        filled = text(before).rstrip("-")
        assert text(after) == str(Seq(filled).reverse_complement()).ljust(12, "-")
    assert torch.equal(other.mask, given.mask)
    assert torch.equal(other_strand(other).x, given.x)
    assert ALPHABET.letters == "ACGT", "the order by which letters are complemented"


def test_mixtures_of_letters_become_mixtures_of_their_complements() -> None:
    half = torch.tensor([[[0.5], [0.0], [0.5], [0.0]]])  # R, A or G
    assert other_strand(Signal(half)).x.flatten().tolist() == [0.0, 0.5, 0.0, 0.5]  # Y, T or C


def test_sequences_are_shifted_evenly_and_never_by_more_than_half() -> None:
    x = letters(1, 20).expand(4000, -1, -1)
    moved = shifted(Signal(x), 3)
    first = moved.mask.int().argmax(dim=1) - moved.mask.flip(1).int().argmax(dim=1)
    assert set(first.tolist()) == set(range(-3, 4))
    assert np.bincount(first.numpy() + 3, minlength=7) == pytest.approx(np.full(7, 4000 / 7), rel=0.2)
    whole = text(x[0])
    for each, mask, by in zip(moved.x[:40], moved.mask[:40], first[:40].tolist(), strict=True):
        expected = "-" * by + whole[: 20 - by] if by >= 0 else whole[-by:] + "-" * -by
        assert text(each) == expected
        assert torch.equal(each.any(dim=0), mask)
    short = shifted(signal(letters(500, 20), [4] * 500), 10)
    assert int(short.mask.sum(dim=1).min()) == 2


def test_a_short_sequence_may_move_into_the_room_behind_it() -> None:
    given = signal(letters(300, 20), [10] * 300)
    moved = shifted(given, 4)
    starts = set()
    for before, after in zip(given.x, moved.x, strict=True):
        kept = text(after).strip("-")
        assert kept in text(before)
        starts.add(text(after).index(kept[0]))
    assert starts == {0, 1, 2, 3, 4}


def test_the_share_of_letters_that_mutate_is_the_share_asked_for() -> None:
    given = signal(letters(400, 50), [50] * 200 + [20] * 200)
    changed = mutated(given.x, 0.2)
    different = (changed != given.x).any(dim=1)
    assert float(different[given.mask].float().mean()) == pytest.approx(0.2, abs=0.02)
    assert not different[~given.mask].any()
    assert torch.equal(changed.sum(dim=1), given.x.sum(dim=1)), "one letter or none at each position"
    became = changed.transpose(1, 2)[different].mean(dim=0)
    assert became.tolist() == pytest.approx([0.25] * 4, abs=0.03), "every other letter as often"


def test_half_of_the_records_are_read_from_the_other_strand_in_all_inputs_alike() -> None:
    x = letters(1000, 9)
    told = Augmentation({name: Changes(reverse_complement=True) for name in ("left", "right")})
    columns = Signal(torch.randn(1000, 3))
    batch, mixture = augment({"left": Signal(x), "right": Signal(x), "table": columns}, told)
    assert mixture is None
    assert torch.equal(batch["left"].x, batch["right"].x)
    assert batch["table"].x is columns.x
    same = (batch["left"].x == x).flatten(1).all(dim=1)
    other = (batch["left"].x == other_strand(Signal(x)).x).flatten(1).all(dim=1)
    assert bool((same | other).all())
    assert float(other.float().mean()) == pytest.approx(0.5, abs=0.05)


def test_noise_has_the_spread_asked_for() -> None:
    batch, _ = augment({"table": Signal(torch.ones(5000, 2))}, Augmentation({"table": Changes(noise=0.3)}))
    assert batch["table"].x.std(dim=0).tolist() == pytest.approx([0.3, 0.3], rel=0.05)
    assert batch["table"].x.mean(dim=0).tolist() == pytest.approx([1.0, 1.0], abs=0.02)


def test_nothing_is_drawn_where_nothing_is_asked_for() -> None:
    before = torch.random.get_rng_state()
    batch = {"sequence": Signal(letters(3, 5))}
    assert augment(batch, Augmentation()) == (batch, None)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not Augmentation({"sequence": Changes()})


# ---- mixing ------------------------------------------------------------------------------------------------

OTHERS = torch.tensor([2, 0, 3, 1])


def test_inputs_are_mixed_by_their_shares_and_filled_where_either_is() -> None:
    given = signal(letters(4, 6), [6, 2, 4, 3])
    mixed = Mixture(0.7, OTHERS).input(given)
    torch.testing.assert_close(mixed.x, 0.7 * given.x + 0.3 * given.x[OTHERS])
    assert mixed.mask.sum(dim=1).tolist() == [6, 6, 4, 3]


def test_the_mixed_loss_has_the_gradient_of_mixed_targets() -> None:
    """Squared error against mixed numbers, and torch's cross-entropy against mixed classes."""
    raw, truth, weight = torch.randn(4, 1), torch.randn(4, 1), torch.ones(4)
    mixture = Mixture(0.7, OTHERS)

    def gradient(loss: object) -> torch.Tensor:
        given = raw.clone().requires_grad_()
        loss(given).backward()
        return given.grad

    blended = 0.7 * truth + 0.3 * truth[OTHERS]
    ours = gradient(lambda each: mixture.loss(TASKS["regression"].loss, each, truth, weight))
    torch.testing.assert_close(ours, gradient(lambda each: F.mse_loss(each, blended)))
    raw, classes = torch.randn(4, 3), torch.tensor([[0.0], [2.0], [1.0], [2.0]])
    one_hot = F.one_hot(classes[:, 0].long(), 3).float()
    soft = 0.7 * one_hot + 0.3 * one_hot[OTHERS]
    ours = mixture.loss(TASKS["multiclass"].loss, raw, classes, weight)
    torch.testing.assert_close(ours, F.cross_entropy(raw, soft))


def test_unknown_targets_and_weights_go_with_their_record_into_a_mixture() -> None:
    raw, weight = torch.randn(4, 1), torch.tensor([1.0, 2.0, 3.0, 4.0])
    truth = torch.tensor([[1.0], [torch.nan], [2.0], [3.0]])
    found = Mixture(0.7, OTHERS).loss(TASKS["regression"].loss, raw, truth, weight)
    square = lambda a, b: float((raw[a] - truth[b]).square())  # noqa: E731
    own = (square(0, 0) + 3 * square(2, 2) + 4 * square(3, 3)) / 8
    other = (3 * square(0, 2) + 1 * square(1, 0) + 4 * square(2, 3)) / 8
    assert float(found) == pytest.approx(0.7 * own + 0.3 * other)


def test_shares_of_a_mixture_follow_the_beta_distribution() -> None:
    batch = {"table": Signal(torch.zeros(2, 1))}
    shares = [augment(batch, Augmentation(mixing=0.4))[1].share for _ in range(3000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.07)


# ---- in a training -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        Augmentation({"sequence": Changes(reverse_complement=True)}),
        Augmentation({"sequence": Changes(shift=1)}),
        Augmentation({"sequence": Changes(mutation=0.02)}),
        Augmentation(mixing=0.2),
    ],
)
def test_networks_learn_with_each_change(told: Augmentation) -> None:
    plan = replace(STEADY, epochs=15, patience=15)
    assert fit(job(plan=plan, augmentation=told)).best.validation_loss < 0.97  # 1 is a constant


def test_changes_are_told_apart_and_repeat_with_the_seed() -> None:
    plain, first, second = job(), job(augmentation=ALL), job(augmentation=ALL)
    assert fingerprint(plain) != fingerprint(first) == fingerprint(second)
    one, two = (fit(each).network.state_dict() for each in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], each) for name, each in fit(plain).network.state_dict().items())


def test_a_stopped_training_with_all_changes_goes_on_bit_for_bit(tmp_path: Path) -> None:
    given = job(augmentation=ALL)

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        fit(given, checkpoint=tmp_path / "saved", on_epoch=stop)
    resumed = fit(given, checkpoint=tmp_path / "saved")
    assert resumed.resumed > 0
    unbroken = fit(given).network.state_dict()
    assert all(torch.equal(unbroken[name], each) for name, each in resumed.network.state_dict().items())


def test_predictions_are_the_mean_over_both_strands_and_equal_for_both() -> None:
    given = job(augmentation=Augmentation({"sequence": Changes(reverse_complement=True)}))
    network = fit(given).network
    encoded = given.inputs["sequence"]
    turned = sequences((3 - encoded.tokens[:, ::-1]).astype(np.uint8))
    forward, backward = (predict(network, {"sequence": each}) for each in (encoded, turned))
    np.testing.assert_allclose(forward, backward, atol=1e-6)
    network.strands = ()
    single = [predict(network, {"sequence": each}) for each in (encoded, turned)]
    np.testing.assert_allclose(forward, np.mean(single, axis=0), atol=1e-6)
    assert np.abs(single[0] - single[1]).max() > 0.01, "one strand alone is not the same as the other"


def test_only_the_inputs_of_dna_are_turned_when_several_are_joined() -> None:
    inputs, _ = regression(0)
    shapes = {name: each.shape for name, each in inputs.items()}
    network = build("fusion", shapes, 1, {}).eval()
    batch = {name: each.on("cpu").batch(torch.arange(10)) for name, each in inputs.items()}
    other = {**batch, "sequence": other_strand(batch["sequence"])}
    with torch.no_grad():
        expected = (apply(network, batch) + apply(network, other)) / 2
        network.strands = ("sequence",)
        torch.testing.assert_close(apply(network, batch), expected)
        torch.testing.assert_close(apply(network, other), expected)


# ---- what a recipe asks for --------------------------------------------------------------------------------


def test_each_input_does_what_its_modality_can() -> None:
    inputs, _ = regression(0)
    recipe = AugmentationRecipe(reverse_complement=True, noise=0.1, mixing=0.2)
    able = {"sequence": DNA, "table": ("noise", "mixing")}
    told = augmentation(recipe, able, inputs)
    assert told == Augmentation(
        {"sequence": Changes(reverse_complement=True), "table": Changes(noise=0.1)}, mixing=0.2
    )
    assert told.strands == ("sequence",)
    assert not augmentation(AugmentationRecipe(), able, inputs)


@pytest.mark.parametrize(
    ("key", "value", "able"),
    [
        ("reverse_complement", True, {"sequence": ("shift", "mutation", "mixing")}),
        ("noise", 0.1, {"sequence": DNA}),
        ("mutation", 0.1, {"sequence": ("noise", "mixing")}),
        ("mixing", 0.2, {"sequence": DNA, "graph": ()}),
    ],
)
def test_what_does_not_go_with_the_data_is_refused(key: str, value: float, able: dict[str, object]) -> None:
    inputs = dict.fromkeys(able, regression(0)[0]["sequence"])
    with pytest.raises(UserError, match=f"augmentation.{key} does not go with the input") as caught:
        augmentation(AugmentationRecipe(**{key: value}), able, inputs)
    assert caught.value.where == f"augmentation.{key}"
    assert key not in caught.value.fix


def test_a_shift_over_the_whole_sequence_is_refused() -> None:
    inputs, _ = regression(0)
    with pytest.raises(UserError, match="of 16 positions away"):
        augmentation(AugmentationRecipe(shift=16), {"sequence": DNA, "table": ()}, inputs)


def test_every_key_belongs_to_a_modality_and_only_dna_has_two_strands() -> None:
    keys = set(AugmentationRecipe.model_fields)
    assert {each for name in modalities for each in modalities[name].augmentations} == keys
    assert [name for name in modalities if "reverse_complement" in modalities[name].augmentations] == ["dna"]
