from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.modalities import Encoded
from bioloom.tasks import TASKS
from bioloom.training.average import AVERAGES
from bioloom.training.job import Epoch, Job, fingerprint
from bioloom.training.loop import fit, predict
from bioloom.training.optimisers import optimisers
from bioloom.training.schedule import SCHEDULES
from simulated import STEADY, SUITED, job, regression, sequences


def weights_of(small: Job) -> dict[str, torch.Tensor]:
    return dict(fit(small).network.state_dict())


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("network", SUITED)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(network: str) -> None:
    first = weights_of(job(network))
    assert same(first, weights_of(job(network)))
    assert not same(first, weights_of(job(network, seed=1)))


SLOW = ("perceptron", "neighbour_map", "pairwise_map")
"""One unit sees little of the pattern; maps of pairs learn a number for each, of which 160 records say little."""


@pytest.mark.parametrize("network", SUITED)
def test_every_network_learns(network: str) -> None:
    plan = replace(STEADY, epochs=12, patience=12, learning_rate=0.01)
    history = fit(job(network, plan=plan)).history
    least = min(epoch.validation_loss for epoch in history)
    assert least < (0.95 if network in SLOW else 0.8)  # 1 is a constant
    assert history[-1].loss < history[0].loss


@pytest.mark.parametrize("optimiser", list(optimisers))
def test_every_optimiser_learns_at_its_usual_rate(optimiser: str) -> None:
    rate = 3e-3 * optimisers[optimiser].rate
    plan = replace(STEADY, epochs=15, patience=15, learning_rate=rate, optimiser=optimiser)
    assert fit(job(plan=plan)).best.validation_loss < 0.75


@pytest.mark.parametrize("schedule", list(SCHEDULES))
@pytest.mark.parametrize("average", list(AVERAGES))
def test_every_schedule_and_average_learns(schedule: str, average: str) -> None:
    plan = replace(STEADY, epochs=15, patience=15, schedule=schedule, average=average)
    assert fit(job(plan=plan)).best.validation_loss < 0.8


def test_accumulated_batches_are_as_one_large_batch() -> None:
    """Without dropout; the number of steps, and so the schedule, is that of the large batches."""
    once, parts = (
        fit(job(settings={"dropout": 0.0}, plan=replace(STEADY, batch_size=size, accumulate=count)))
        for size, count in ((32, 1), (8, 4))
    )
    for first, second in zip(once.history, parts.history, strict=True):
        assert second.learning_rate == first.learning_rate
        assert second.validation_loss == pytest.approx(first.validation_loss, rel=1e-3)


def test_a_last_step_of_fewer_batches_is_taken() -> None:
    small = job(plan=replace(STEADY, batch_size=30, accumulate=4))  # 6 batches: 4 and 2
    rates = [epoch.learning_rate for epoch in fit(small).history]
    assert rates[-1] == pytest.approx(STEADY.learning_rate * 1e-4), "all planned steps were taken"


def test_the_plateau_schedule_follows_the_validation_loss() -> None:
    plan = replace(STEADY, epochs=12, patience=12, learning_rate=0.05, schedule="plateau")
    history = fit(job(plan=plan)).history
    assert history[0].learning_rate == 0.05
    assert history[-1].learning_rate < 0.05


def test_the_callers_random_numbers_and_threads_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.get_num_threads()
    fit(job(threads=before + 1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == before


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    plan = replace(STEADY, epochs=40, patience=5, learning_rate=0.02)
    small = job(plan=plan, settings={"dropout": 0.0})
    told: list[Epoch] = []
    fitted = fit(small, on_epoch=told.append)
    losses = [epoch.validation_loss for epoch in fitted.history]
    assert fitted.best.validation_loss == min(losses)
    assert len(losses) == fitted.best.number + 5 < 40, "it stopped 5 epochs after the best"
    raw = predict(fitted.network, small.inputs)[small.validation]
    np.testing.assert_allclose(
        np.mean((raw - small.truth[small.validation]) ** 2), fitted.best.validation_loss, rtol=1e-5
    )
    assert [replace(epoch, raw=None) for epoch in told] == list(fitted.history)
    np.testing.assert_allclose(told[fitted.best.number - 1].raw, raw, atol=1e-5)


def test_only_training_and_validation_records_count() -> None:
    small = job()
    truth, tokens = small.truth.copy(), small.inputs["sequence"].tokens.copy()
    truth[220:], tokens[220:] = 99.0, 0
    assert same(
        weights_of(small), weights_of(replace(small, truth=truth, inputs={"sequence": sequences(tokens)}))
    )


def test_a_record_without_weight_teaches_nothing_and_one_of_weight_two_counts_twice() -> None:
    small = job()
    ignored = small.weight.copy()
    ignored[:50] = 0.0
    truth = small.truth.copy()
    truth[:50] = -truth[:50]
    assert same(
        weights_of(replace(small, weight=ignored)), weights_of(replace(small, weight=ignored, truth=truth))
    )
    assert not same(weights_of(small), weights_of(replace(small, weight=ignored)))


def test_an_unknown_target_is_as_if_its_record_had_no_weight_for_it() -> None:
    small = job()
    ignored, truth = small.weight.copy(), small.truth.copy()
    ignored[10:60], truth[10:60] = 0.0, np.nan
    assert same(weights_of(replace(small, weight=ignored)), weights_of(replace(small, truth=truth)))


def test_several_targets_with_holes_are_learned_together() -> None:
    _, truth = regression(0)
    both = np.column_stack([truth, -truth]).astype(np.float32)
    both[::3, 0], both[1::3, 1] = np.nan, np.nan
    plan = replace(STEADY, epochs=15, patience=15)
    fitted = fit(job(truth=both, outputs=2, plan=plan))
    raw = predict(fitted.network, job().inputs)[160:]
    assert np.corrcoef(raw[:, 0], truth[160:, 0])[0, 1] > 0.4
    assert np.corrcoef(raw[:, 1], truth[160:, 0])[0, 1] < -0.4


def test_classes_are_learned() -> None:
    inputs, _ = regression(0)
    classes = np.digitize(inputs["table"].values[:, :1], [-0.5, 0.5]).astype(np.float32)
    plan = replace(STEADY, epochs=20, patience=20)
    small = job(
        inputs={"table": inputs["table"]}, truth=classes, outputs=3, task=TASKS["multiclass"], plan=plan
    )
    raw = predict(fit(small).network, small.inputs)[160:]
    assert (raw.argmax(axis=1) == classes[160:, 0]).mean() > 0.85


def test_without_validation_records_all_epochs_run_and_the_last_weights_stay() -> None:
    fitted = fit(job(validation=np.array([], dtype=np.int64)))
    assert [epoch.validation_loss for epoch in fitted.history] == [None] * 4
    assert fitted.best.number == 4


def test_masks_reach_the_network() -> None:
    """Letters behind the end of a sequence are never seen."""
    random = np.random.default_rng(0)
    tokens = random.integers(0, 4, (240, 16)).astype(np.uint8)
    lengths = random.integers(6, 17, 240).astype(np.int32)
    other = np.where(np.arange(16) < lengths[:, None], tokens, (tokens + 1) % 4).astype(np.uint8)
    first, second = (
        weights_of(job("residual", inputs={"sequence": sequences(each, lengths)})) for each in (tokens, other)
    )
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)


def test_blocks_expanded_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    large = weights_of(job())
    monkeypatch.setattr("bioloom.training.loop.BLOCK", 1)
    assert same(large, weights_of(job()))


def test_bfloat16_learns_as_well_as_float32() -> None:
    plan = replace(STEADY, epochs=6, patience=6)
    exact, rough = (
        fit(job("residual", plan=replace(plan, precision=precision))).best.validation_loss
        for precision in ("float32", "bf16")
    )
    assert rough == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_loss_that_leaves_the_numbers_stops_with_advice(precision: str) -> None:
    truth = job().truth.copy()
    truth[3] = 1e30
    with pytest.raises(UserError, match="epoch 1: the loss is not a finite number") as caught:
        fit(job(truth=truth, plan=replace(STEADY, precision=precision)))
    assert "training.learning_rate=0.0003 (now 0.003)" in caught.value.fix
    assert ("precision=float32" in caught.value.fix) == (precision == "bf16")


def test_without_validation_records_weights_that_leave_the_numbers_in_the_last_step_are_told() -> None:
    small = job(validation=np.empty(0, dtype=np.int64), plan=replace(STEADY, epochs=1, batch_size=160))

    def steep(raw: torch.Tensor, *_: object) -> torch.Tensor:
        # 0, with a slope that is no number
        return raw.square().sum().sqrt() * 0 + (raw * 0).abs().sqrt().sum()

    broken = replace(small, task=replace(small.task, loss=steep))
    with pytest.raises(UserError, match="epoch 1: the loss is not a finite number"):
        fit(broken)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory.")])
def test_memory_that_runs_out_is_told_with_a_smaller_batch(error: Exception) -> None:
    def full(*_: object) -> torch.Tensor:
        raise error

    small = job()
    with pytest.raises(UserError, match="not enough memory for this training") as caught:
        fit(replace(small, task=replace(small.task, loss=full)))
    assert "training.batch_size=16 (now 32)" in caught.value.fix


def test_other_errors_of_the_arithmetic_keep_their_trace() -> None:
    def wrong(*_: object) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    small = job()
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        fit(replace(small, task=replace(small.task, loss=wrong)))


def test_the_same_prediction_for_every_record_stops_with_advice() -> None:
    silent: dict[str, Encoded] = {"sequence": sequences(np.zeros((240, 16), dtype=np.uint8))}
    with pytest.raises(UserError, match="every validation record the same prediction"):
        fit(job(inputs=silent))


def test_the_fingerprint_knows_everything_that_was_told() -> None:
    small = job()
    truth, weight = small.truth.copy(), small.weight.copy()
    truth[0], weight[0] = 0.0, 2.0
    tokens = small.inputs["sequence"].tokens.copy()
    tokens[0, 0] = (tokens[0, 0] + 1) % 4
    changed = [
        replace(small, network="linear"),
        replace(small, settings={"hidden": (3,)}),
        replace(small, truth=truth),
        replace(small, weight=weight),
        replace(small, train=small.train[::-1]),
        replace(small, validation=small.validation[1:]),
        replace(small, plan=replace(STEADY, epochs=5)),
        replace(small, plan=replace(STEADY, optimiser="adam")),
        replace(small, seed=1),
        replace(small, inputs={"sequence": sequences(tokens)}),
        replace(small, inputs={"other": small.inputs["sequence"]}),
    ]
    assert len({fingerprint(each) for each in [small, *changed]}) == 12
    assert fingerprint(small) == fingerprint(replace(small, threads=2, device="cuda"))
    truth = small.truth.copy()
    truth[230] = 9.0
    assert fingerprint(small) == fingerprint(replace(small, truth=truth)), "test records are not looked at"
