"""A language model that learns to respond, and what is preferred, from the command line to new texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bioloom import workflow
from bioloom.cli import main
from bioloom.data.simulate import simulate
from bioloom.data.simulate.preferences import liked
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.align import Alignment, interval, rate
from bioloom.journey.lessons import read_lessons
from bioloom.journey.prepare import Request
from bioloom.journey.writing import Assignment
from bioloom.run import Run
from bioloom.training.lessons import Pace


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("language") / "run"
    settings = {
        "training.epochs": 1,
        "model.settings.hidden": 16,
        "model.settings.width": 8,
        "evaluation.draws": 100,
        "split.folds": 1,
        "search": "none",
        "threads": 1,
    }
    frame = simulate("preferences", 60).beside["sequences"]
    return workflow.train(Request(source=frame, task="language", settings=settings), folder, Silent())


def test_preferences_are_learned_and_judged_on_held_out_prompts(
    language: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = simulate("preferences", 60)
    pairs.frame.to_csv(tmp_path / "pairs.csv", index=False)
    out = tmp_path / "new"
    told = ["align", str(language.folder), str(tmp_path / "pairs.csv"), "--outdir", str(out), "--epochs", "2"]
    assert main([*told, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["rows"] == {"train": 42, "validation": 9, "test": 9}
    names = [
        "pairs before",
        "pairs after",
        "pairs by reward",
        "preferred",
        "judged before",
        "judged after",
        "kl",
    ]
    assert list(content["figures"]) == names
    assert all(each["low"] <= each["value"] <= each["high"] for each in content["figures"].values())
    assert "at a rate of" in content["verdict"]["text"]
    assert "The reward model, which judges here, agrees with" in content["verdict"]["text"]
    written = workflow.generate(out, Assignment("ACGTACGT", 16, 2)).frame
    assert written.iloc[:, 1].str.len().tolist() == [24, 24]


def test_figures_are_told_in_words(language: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate("preferences", 60).frame.to_csv(tmp_path / "pairs.csv", index=False)
    told = ["align", str(language.folder), str(tmp_path / "pairs.csv"), "--outdir", str(tmp_path / "new")]
    assert main([*told, "--epochs", "1", "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "responses after that are judged better than before" in shown
    assert "pairs in which the reward model agrees" in shown


def test_a_model_that_went_too_far_steps_back(language: Run, tmp_path: Path) -> None:
    frame = simulate("preferences", 100).frame
    pace = Pace(epochs=3, learning_rate=3e-2)
    far, near, still = (
        workflow.align(
            language.folder, Alignment(frame, 0.05, pace, farthest=limit), tmp_path / str(limit), Silent()
        ).content
        for limit in (None, 1.0, 0.0)
    )
    assert far["share_of_the_way"] == 1
    assert far["figures"]["kl"]["value"] > 2
    assert 0 < near["share_of_the_way"] < 1
    assert near["figures"]["kl"]["value"] < 1.5
    assert "after a step back" in near["verdict"]["text"]
    assert still["share_of_the_way"] == 0
    assert still["figures"]["kl"]["value"] == pytest.approx(0, abs=1e-4)
    assert still["figures"]["pairs after"] == still["figures"]["pairs before"]


def test_responses_are_learned(language: Run, tmp_path: Path) -> None:
    frame = simulate("preferences", 60).frame.rename(columns={"chosen": "response"}).drop(columns="rejected")
    frame["response"] = "GGGGGGGG"
    found = workflow.align(
        language.folder, Alignment(frame, pace=Pace(epochs=6, learning_rate=2e-2)), tmp_path / "new", Silent()
    )
    assert found.content["kind"] == "responses"
    figures = found.content["figures"]
    assert figures["gain"]["value"] == pytest.approx(
        figures["before"]["value"] - figures["after"]["value"], abs=1e-5
    )
    assert figures["gain"]["low"] > 0.5
    written = workflow.generate(tmp_path / "new", Assignment("ACGTACGT", 8, 1)).frame
    assert "G" * 4 in written.iloc[0, 1]


def test_rows_of_one_prompt_stay_together_and_what_cannot_be_read_is_left_out(language: Run) -> None:
    frame = simulate("preferences", 100).frame
    frame["prompt"] = frame["prompt"].str[:2]
    frame.loc[0, "chosen"] = "not DNA at all"
    frame.loc[1, "rejected"] = frame.loc[1, "chosen"]
    frame.loc[2, "chosen"] = None
    ((_, modality),) = language.model.modalities.items()
    lessons = read_lessons(frame, modality, 0)
    assert lessons.dropped == 3
    prompts = [{lessons.prompts[row] for row in rows} for rows in lessons.parts.values()]
    assert not prompts[0] & prompts[1]
    assert not prompts[0] & prompts[2]
    assert not prompts[1] & prompts[2]


def test_rows_without_a_prompt_count_each_by_itself(language: Run, tmp_path: Path) -> None:
    frame = simulate("preferences", 100).frame.drop(columns="prompt")
    ((_, modality),) = language.model.modalities.items()
    lessons = read_lessons(frame, modality, 0)
    assert sorted(lessons.groups("test").tolist()) == list(range(15))
    assert lessons.prompts_of("test") == [""] * 15
    found = workflow.align(language.folder, Alignment(frame, pace=Pace(epochs=1)), tmp_path / "new", Silent())
    preferred = found.content["figures"]["preferred"]
    assert preferred["high"] - preferred["low"] < 0.5  # of one prompt it would be nearly all there is


def test_files_and_models_of_another_kind_are_refused(language: Run, tmp_path: Path) -> None:
    frame = simulate("preferences", 60).frame
    with pytest.raises(UserError, match="neither a column"):
        workflow.align(language.folder, Alignment(frame.drop(columns="chosen")), tmp_path / "a", Silent())
    with pytest.raises(UserError, match="Only 20 rows"):
        workflow.align(language.folder, Alignment(frame.head(20)), tmp_path / "a", Silent())
    with pytest.raises(UserError, match="over the one it begins with"):
        workflow.align(language.folder, Alignment(frame), language.folder, Silent())


def test_the_interval_of_a_mean_over_groups_is_about_two_standard_errors() -> None:
    random = np.random.default_rng(0)
    value = random.normal(1.0, 2.0, 400)
    found = interval(value, np.ones(400), np.arange(400), 0)
    error = value.std() / 20
    assert found.value == pytest.approx(value.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_where_all_prompts_agree_the_rate_still_has_an_interval() -> None:
    found = rate(np.ones(40), np.repeat(np.arange(10), 4), 0)
    z = 1.959964
    assert found.value == 1.0
    assert found.low == pytest.approx(1 / (1 + z**2 / 10), abs=1e-4)  # Wilson's, with ten prompts


def test_the_simulated_judge_prefers_what_he_likes() -> None:
    frame = simulate("preferences", 400).frame
    apart = frame["chosen"].map(liked) - frame["rejected"].map(liked)
    expected = (1 / (1 + np.exp(-apart.abs()))).mean()
    assert (apart[apart != 0] > 0).mean() == pytest.approx(expected, abs=0.08)
