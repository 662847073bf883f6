"""The page, the result block and the methods paragraph, from made-up run folders."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import fake_runs
from bioloom.errors import UserError
from bioloom.recipe_parts import AugmentationRecipe
from bioloom.report import fragment, methods, render
from bioloom.report.contract import read, sections
from bioloom.report.methods import paragraph
from bioloom.report.numbers import duration, interval, number, plural, score, short, signed, with_interval
from bioloom.report.questions import Fact
from bioloom.report.sections import training
from bioloom.report.sections.result import axis
from bioloom.report.summary import block, summary
from bioloom.report.templating import FOLDER, typeset
from bioloom.report.words import in_sentence, listed, sentence

VOID = {"meta", "link", "img", "br", "hr", "line", "circle"}
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """The elements of a page, checking on the way that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=sorted(fake_runs.RUNS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up run folder of every kind, with its report; only to be read."""
    folder = fake_runs.RUNS[request.param](tmp_path_factory.mktemp("run"))
    render(folder)
    return folder


@pytest.fixture(scope="module")
def written(run: Path) -> Page:
    """The report of that run."""
    return Page((run / "report.html").read_text(encoding="utf-8"))


def result_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return content


def rewrite(folder: Path, result: dict[str, Any]) -> Path:
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def page_of(folder: Path) -> Page:
    return Page(render(folder).read_text(encoding="utf-8"))


# ---- the page -------------------------------------------------------------------------------------------


def test_the_page_is_one_file_in_the_run_folder_below_3_mb(run: Path) -> None:
    assert 10_000 < (run / "report.html").stat().st_size < 3_000_000


def test_the_page_loads_nothing_and_runs_nothing(written: Page) -> None:
    page = written
    assert not {"script", "iframe", "object", "embed", "form"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:")), f"{tag} loads {address}"
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    assert "@import" not in style
    assert "url(" not in style


def test_figures_inside_the_page_hold_no_scripts_and_no_addresses(written: Page) -> None:
    images = [image["src"] or "" for image in written.all("img")]
    assert images
    for image in images:
        head, _, body = image.partition(",")
        assert head == "data:image/svg+xml;base64"
        svg = base64.b64decode(body).decode()
        assert "<script" not in svg
        assert not re.findall(r'(?:xlink:)?href="(?!#|data:)', svg)


def test_the_page_reads_with_a_screen_reader(written: Page) -> None:
    page = written
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("title")
    assert all(image["alt"] for image in page.all("img"))
    assert page.elements[[tag for tag, _ in page.elements].index("a")][1]["class"] == "skip"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert all(cell.get("scope") for cell in page.all("th"))
    assert not page.open, "every element is closed"


def test_every_link_within_the_page_leads_somewhere(written: Page) -> None:
    page = written
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in ids}


def test_the_chapters_are_those_of_dome_and_explanation(tmp_path: Path) -> None:
    page = page_of(fake_runs.regression(tmp_path))
    found = [attributes["id"] for tag, attributes in page.elements if attributes.get("class") == "chapter"]
    assert found == ["data", "optimisation", "model", "evaluation", "explanation", "methods"]


def test_every_score_of_the_result_is_on_the_page(run: Path, written: Page) -> None:
    text = written.text
    scores = result_of(run)["scores"]
    models = [scores["model"], *(baseline["scores"] for baseline in scores["baselines"].values())]
    for name, scored in [each for model in models for each in model.items()]:
        expected = score(name, scored["value"]) if scored["value"] is not None else scored["undefined"]
        assert typeset(expected).replace("\u00a0", " ") in text
        assert typeset(interval(name, scored)) in text


def test_verdict_next_step_and_all_findings_are_on_the_page_the_worst_first(tmp_path: Path) -> None:
    run = fake_runs.binary(tmp_path)
    text, result = page_of(run).text, result_of(run)
    assert result["verdict"]["text"] in text
    assert result["verdict"]["next"] in text
    places = {finding["severity"]: text.index(finding["question"]) for finding in result["findings"]}
    assert places["problem"] < places["warning"] < places["note"] < places["ok"]
    assert all(finding["fix"] in text for finding in result["findings"])


def test_figures_of_the_run_folder_are_embedded_as_they_are(tmp_path: Path) -> None:
    run = fake_runs.regression(tmp_path)
    stored = base64.b64encode((run / "figures" / "explanation-mutagenesis.svg").read_bytes()).decode()
    assert stored in render(run).read_text(encoding="utf-8")


def test_the_same_folder_gives_the_same_page(tmp_path: Path) -> None:
    run = fake_runs.two_inputs(tmp_path)
    path = render(run)
    assert path == run / "report.html"
    before = path.read_bytes()
    assert render(run).read_bytes() == before


def test_rows_left_out_are_listed_with_reason_lines_and_number(tmp_path: Path) -> None:
    text = page_of(fake_runs.two_inputs(tmp_path)).text
    assert "2,003 read, 1,991 used, 12 left out" in text
    assert "the sequence is empty 4, 9, 77, 120, 121, … 10" in text


def test_the_column_of_advice_is_there_where_there_is_advice(tmp_path: Path) -> None:
    run = fake_runs.two_inputs(tmp_path)
    result = result_of(run)
    assert "What was noticed What Consequence Rows utr5: U is read as T rows kept 31" in page_of(run).text
    result["data"]["problems"][0]["fix"] = "nothing need be done"
    text = page_of(rewrite(run, result)).text
    assert "What to do Consequence Rows utr5: U is read as T nothing need be done rows kept 31" in text


def test_several_targets_are_also_scored_one_by_one(tmp_path: Path) -> None:
    text = page_of(fake_runs.two_inputs(tmp_path)).text
    assert "growth 0.510 (0.400 to 0.600)" in text


def test_a_binary_run_shows_the_positive_class_and_why(tmp_path: Path) -> None:
    text = page_of(fake_runs.binary(tmp_path)).text
    assert "The positive class, whose probability is predicted: +" in text
    assert "reads as the positive class" in text


def hostile(value: Any) -> Any:
    """The same result with every text that a user's file can bring made hostile; words of the layout stay."""
    if isinstance(value, dict):
        fixed = ("task", "primary", "severity", "metric", "against", "interval", "file", "kind", "format")
        return {key: each if key in fixed else hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return f"{HOSTILE}{value}" if isinstance(value, str) else value


@pytest.mark.parametrize("kind", sorted(fake_runs.RUNS))
def test_names_of_columns_classes_and_files_cannot_become_html(kind: str, tmp_path: Path) -> None:
    run = fake_runs.RUNS[kind](tmp_path)
    table = (run / "predictions.csv").read_text(encoding="utf-8").splitlines()
    quoted = HOSTILE.replace('"', '""')
    fixed = ("id", "part", "right", "nats_per_token")
    names = [f'"{quoted}{name}"' if name not in fixed else name for name in table[0].split(",")]
    table[0] = ",".join(name.replace("p(", f"p({quoted}", 1) if "p(" in name else name for name in names)
    (run / "predictions.csv").write_text("\n".join(table), encoding="utf-8")
    (run / "recipe.toml").write_text(f"[data]\nfile = '{HOSTILE}'\n", encoding="utf-8")
    page = page_of(rewrite(run, hostile(result_of(run))))
    assert not page.all("script")
    assert not [each for each in page.elements if "onerror" in each[1]]
    assert HOSTILE in page.text
    for image in page.all("img"):
        assert "<script" not in base64.b64decode((image["src"] or "").partition(",")[2]).decode()


def test_what_a_run_need_not_have_may_be_missing(tmp_path: Path) -> None:
    run = fake_runs.regression(tmp_path)
    result = result_of(run)
    for key in ("comparison", "controls", "findings", "explanation", "timing", "environment", "recipe"):
        del result[key]
    result["leakage"] = {}
    result["scores"]["baselines"] = {}
    result["training"]["history"] = []
    result["data"] = {key: result["data"][key] for key in ("source", "rows", "used", "inputs", "target")}
    (run / "predictions.csv").unlink()
    (run / "recipe.toml").unlink()
    page = page_of(rewrite(run, result))
    assert result["verdict"]["text"] in page.text
    assert "None" not in page.text


@pytest.mark.parametrize("key", ["scores", "verdict", "split", "data", "training", "model"])
def test_a_result_without_a_needed_part_is_refused_by_name(tmp_path: Path, key: str) -> None:
    run = fake_runs.multiclass(tmp_path)
    result = result_of(run)
    del result[key]
    with pytest.raises(UserError, match=f'it lacks "{key}"'):
        render(rewrite(run, result))


def test_a_deeper_needed_part_is_refused_by_its_whole_name(tmp_path: Path) -> None:
    run = fake_runs.multiclass(tmp_path)
    result = result_of(run)
    del result["split"]["counts"]["test"]
    with pytest.raises(UserError, match=r'it lacks "split\.counts\.test"'):
        render(rewrite(run, result))


def test_a_folder_without_a_result_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no result to report on") as caught:
        render(tmp_path)
    assert "bioloom train" in caught.value.fix


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "{}", '{"format": "1"}'])
def test_a_damaged_result_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        render(tmp_path)


def test_a_result_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    run = fake_runs.multiclass(tmp_path)
    with pytest.raises(UserError, match="format 2, and this bioloom reads up to 1"):
        render(rewrite(run, result_of(run) | {"format": 2}))


@pytest.mark.parametrize(
    "name", ["../secret.svg", "/etc/passwd", "figures/../../secret.svg", "predictions.csv", "no.svg"]
)
def test_only_figures_inside_the_folder_are_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.svg").write_text("<svg>secret</svg>", encoding="utf-8")
    run = fake_runs.regression(tmp_path / "run")
    result = result_of(run)
    result["explanation"] = result["explanation"][:1]
    result["explanation"][0]["figures"] = [{"file": name, "title": "t", "alt": "a"}]
    page = page_of(rewrite(run, result))
    assert base64.b64encode(b"<svg>secret</svg>").decode() not in str(page.elements)
    assert "1 more figure is in the folder figures/" in page.text


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.svg").write_text("<svg>secret</svg>", encoding="utf-8")
    run = fake_runs.regression(tmp_path / "run")
    figure = run / "figures" / "explanation-mutagenesis.svg"
    figure.unlink()
    figure.symlink_to(tmp_path / "secret.svg")
    assert base64.b64encode(b"<svg>secret</svg>").decode() not in render(run).read_text(encoding="utf-8")


def test_figures_that_would_make_the_page_too_large_stay_in_the_folder(tmp_path: Path) -> None:
    run = fake_runs.regression(tmp_path)
    for name in "abcd":
        (run / "figures" / f"{name}.svg").write_text("<svg>" + " " * 600_000 + "</svg>", encoding="utf-8")
    result = result_of(run)
    result["explanation"][0]["figures"] = [
        {"file": f"figures/{name}.svg", "title": name, "alt": name} for name in "abcd"
    ]
    text = page_of(rewrite(run, result)).text
    assert "2 more figures are in the folder figures/" in text
    assert (run / "report.html").stat().st_size < 3_000_000


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_colours_reach_a_contrast_of_4_5_on_white() -> None:
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style))
    used = re.findall(r"(?<![-\w])color: (?:var\(--(\w+)\)|(#[0-9a-f]{6}))", style)
    colours = {named[name] if name else colour for name, colour in used}
    assert len(colours) >= 5
    for colour in colours:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour


# ---- the result block -----------------------------------------------------------------------------------


def test_the_result_block_says_what_the_score_is_worth(tmp_path: Path) -> None:
    lines = summary(result_of(fake_runs.regression(tmp_path)))
    text = "\n".join(lines)
    assert lines[0] == "lac_promoter: expression from sequence"
    assert lines[2].startswith("Useful: ")
    assert "Next: check a few predictions" in text
    assert "Spearman correlation on 400 test records, with 95 % intervals; higher is better" in text
    assert re.search(r"Network +0\.742  0\.731 to 0\.753", text)
    assert re.search(r"Always the mean +-  not defined, because every prediction is the same", text)
    for answer in (
        "The network; with --model simple, ridge regression",
        "Yes: better than ridge regression, gradient boosting and nearest training record",
        "Yes: no exact copy, reverse complement or near copy of a learned record",
        "No better than guessing (0.000): -0.002; with true labels the same training reaches 0.655",
        "Twice the data would add about 0.05 (0.03 to 0.07) in Spearman correlation",
        "62 % of what can be explained is: R² is 0.561, and 0.912 is the most there can be",
        "90 % intervals are 4.90 wide and hold 91.3 % of the test records",
        "One test set (mutation), 1,400 records to learn from, 300 that said when to stop",
        "Nothing to act on in 2 checks",
    ):
        assert answer in text


def test_the_result_block_is_one_screen(run: Path) -> None:
    lines = summary(result_of(run))
    assert len(lines) <= 22
    answers = [fact.answer for fact in block(result_of(run)).facts]
    assert all(answers)
    assert max(map(len, answers)) <= 110


def test_rivals_stand_in_a_fixed_order_and_numbers_below_each_other(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    assert [row.name for row in block(result).compared] == [
        "model",
        "simple",
        "boosting",
        "nearest",
        "trivial",
    ]
    result["scores"]["baselines"]["nearest"]["scores"]["spearman"] = fake_runs.scored(-0.05, -0.1, 0.01, 400)
    rows = [line for line in summary(result) if re.match(r"  (Network|Ridge|Nearest)", line)]
    assert len({line.index(".") for line in rows}) == 1
    assert len({line.index(" to ") for line in rows}) == 1


def test_a_cross_validation_is_told_in_folds_and_who_predicts(tmp_path: Path) -> None:
    result = result_of(fake_runs.cross_validated(tmp_path))
    text = "\n".join(summary(result))
    assert "Logistic regression; with --model network, the network" in text
    assert "5 folds (similarity): each record once, by a network that learned from about 240 others" in text
    assert (
        "1.31 classes named on average, the true one among them for 87.3 % of the test records (promised: 90 %)"
        in text
    )
    assert "0 for the test" not in text
    assert re.search(r"Share of each class +-  guessing, which gives 0\.500", text)
    assert "0.449" not in text, "a constant that differs by fold falls below guessing by construction"


def test_lines_with_nothing_to_say_are_left_out(tmp_path: Path) -> None:
    asked = {fact.question for fact in block(result_of(fake_runs.before(tmp_path / "a"))).facts}
    new = {
        "What does predict use?",
        "Would more data help?",
        "How near is the ceiling?",
        "How sure is one prediction?",
    }
    assert not asked & new
    result = result_of(fake_runs.regression(tmp_path / "b"))
    assert new <= {fact.question for fact in block(result).facts}
    curve = result["learning_curve"]
    curve |= {"points": curve["points"][2:], "unsupported": "it takes 3 sizes of training set or more"}
    assert "Would more data help?" not in {fact.question for fact in block(result).facts}


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"above": True}, "Above it, so the stated noise is too large: an R² of 0.912 is possible, 0.561 is reached"),
     ({"explained": None}, "Given the noise of the measurement, an R² of 0.912 is possible")],
)  # fmt: skip
def test_the_ceiling_is_told_as_it_was_found(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    result["ceiling"] |= changes
    assert words in [fact.answer for fact in block(result).facts]


def test_intervals_that_broke_their_promise_ask_for_care(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))

    def sure() -> Fact:
        return next(fact for fact in block(result).facts if fact.question == "How sure is one prediction?")

    assert sure().tone == "plain"
    result["uncertainty"]["coverage"][0] |= {"value": 0.7, "low": 0.65, "high": 0.75}
    assert sure().tone == "care"
    result["uncertainty"] |= {"reason": "5 validation records are too few"}
    result["uncertainty"]["coverage"][0]["size"] = None
    assert "no ends in some folds" in sure().answer
    result["uncertainty"]["half"] = [None]
    assert sure().answer == "No promise can be made: 5 validation records are too few"


def test_a_rival_that_learned_from_fewer_records_is_named_with_their_number(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    baselines, learned = result["scores"]["baselines"], result["split"]["counts"]["train"]
    baselines["boosting"]["records"] = learned // 10
    baselines["nearest"]["records"] = learned
    titles = {row.name: row.title for row in block(result).compared}
    assert titles["boosting"] == f"Gradient boosting on {learned // 10:,} records"
    assert "records" not in titles["nearest"]


def test_the_page_says_how_little_rivals_and_controls_learned_from(tmp_path: Path) -> None:
    folder = fake_runs.regression(tmp_path)
    result = result_of(folder)
    result["scores"]["baselines"]["simple"]["features"] = "340 counts of k-mers"
    result["scores"]["baselines"]["nearest"]["records"] = 1_234
    result["controls"]["label_shuffle"] |= {"records": 987, "epochs": 3}
    for control in result["controls"]["others"]:
        control["records"] = 1_111
    text = page_of(rewrite(folder, result)).text
    assert "some were given a random part: nearest training record 1,234 records" in text
    assert "are short (987 training records for at most 3 epochs" in text
    assert "These learn from at most 1,111 training records" in text


@pytest.mark.parametrize("words", [methods.AUGMENTED, training.AUGMENTED])
def test_every_random_change_of_records_has_words(words: dict[str, str]) -> None:
    assert set(words) == set(AugmentationRecipe.model_fields)


def test_networks_that_held_back_other_records_are_said_to_have(tmp_path: Path) -> None:
    folder = fake_runs.regression(tmp_path)
    result = result_of(folder)
    result["model"]["members"] = 2
    member = {"seed": 0, "epochs_run": 9, "best_epoch": 7, "validation_loss": 0.4}
    result["training"] |= {"members": [member, member], "rotated": True}
    text = page_of(rewrite(folder, result)).text
    assert "each held back other ones to decide when to stop" in text
    assert "each held back other records for validation; each network kept" in paragraph(result)
    result["training"]["rotated"] = False
    assert "held back" not in page_of(rewrite(folder, result)).text


def test_why_a_simpler_model_predicts_is_said_as_it_is(tmp_path: Path) -> None:
    folder = fake_runs.regression(tmp_path)
    result = result_of(folder)
    result["model"]["delivered"] = "simple"
    assert "because the network was not clearly better" in page_of(rewrite(folder, result)).text
    result["recipe"] = {"evaluation": {"deliver": "simple"}}
    assert "because the recipe asks for it" in page_of(rewrite(folder, result)).text


def test_page_notebook_and_terminal_show_the_same_block(run: Path, written: Page) -> None:
    shown = block(result_of(run))
    on_page, in_notebook = written.text, Page(fragment(result_of(run))).text
    lines = "\n".join(summary(result_of(run)))
    for words in [shown.verdict, shown.caption, *(fact.answer for fact in shown.facts)]:
        assert words in lines
        assert typeset(words).replace("\u00a0", " ") in on_page
        assert typeset(words).replace("\u00a0", " ") in in_notebook


def test_the_notebook_block_is_plain_text_of_html(run: Path) -> None:
    assert type(fragment(result_of(run))) is str, "markup would escape what is added to it"


def test_copies_across_the_split_are_named_and_graded_like_the_finding(tmp_path: Path) -> None:
    result = result_of(fake_runs.binary(tmp_path))

    def clean() -> Fact:
        return next(fact for fact in block(result).facts if fact.question == "Is the test set clean?")

    copies = "6 exact copies, 2 reverse complements and 11 near copies of learned records"
    assert clean().answer == f"No: {copies}; 1 with conflicting labels"
    assert clean().tone == "bad"
    result["findings"][1]["severity"] = "note"
    assert clean().answer.startswith(f"Nearly: {copies}")
    result["findings"] = []
    assert clean().answer.startswith(f"Not quite: {copies}")
    assert clean().tone == "care"


def test_copies_that_were_not_looked_for_are_not_said_to_be_absent(tmp_path: Path) -> None:
    result = result_of(fake_runs.multiclass(tmp_path))
    result["leakage"]["reverse_complements"] = None
    assert block(result).facts[0].answer == "Yes: no exact copy or near copy of a learned record"
    result["leakage"]["near_copies"] = None
    assert block(result).facts[0].answer == "Yes: no exact copy of a learned record"


def test_what_else_stands_on_both_sides_is_told(tmp_path: Path) -> None:
    text = page_of(fake_runs.binary(tmp_path)).text
    assert "What counts as near: near copies have at least 95 % equal letters on either strand." in text
    assert "3 test records of a group that the model also learned from." in text
    assert "31 records repeat an earlier one, 4 of them with another label." in text
    assert "test record seq12 and learned record seq801: near, identity 0.987" in text


@pytest.mark.parametrize(
    ("low", "high", "word", "tone"),
    [(0.01, 0.1, "Yes: better than ridge regression", "good"),
     (-0.1, 0.1, "Not clearly better than ridge regression", "care"),
     (-0.2, -0.1, "No: worse than ridge regression", "bad"),
     (None, None, "Cannot be said for ridge regression", "plain")],
)  # fmt: skip
def test_the_comparison_reads_as_its_interval_allows(
    tmp_path: Path, low: Any, high: Any, word: str, tone: str
) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    result["comparison"] = [
        {"metric": "spearman", "against": "simple", "difference": 0.05, "low": low, "high": high}
    ]
    fact = next(fact for fact in block(result).facts if fact.question == "Better than simpler models?")
    assert fact.answer == word
    assert fact.tone == tone


def test_the_comparison_names_what_is_not_beaten_before_the_rest(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    result["comparison"][2] |= {"low": -0.01}
    answers = [fact.answer for fact in block(result).facts]
    assert "Not clearly better than ridge regression; better than the others" in answers


def test_a_control_that_does_not_read_as_guessing_is_a_problem(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    result["controls"]["label_shuffle"]["reads_as_guessing"] = False
    assert (
        next(fact.tone for fact in block(result).facts if fact.question == "With shuffled labels?") == "bad"
    )


def test_the_axis_holds_every_interval_guessing_and_the_perfect_score(run: Path) -> None:
    shown = block(result_of(run))
    scale = axis(shown)
    values = [
        value for row in shown.compared for value in (row.value, row.low, row.high) if value is not None
    ]
    assert all(0 <= scale.at(value) <= 100 for value in [*values, 1.0])
    assert scale.low <= min(values)
    assert scale.high >= max([*values, 1.0])
    assert 2 <= len(scale.ticks()) <= 8
    assert scale.ticks()[0].at < scale.ticks()[-1].at


# ---- the methods paragraph ------------------------------------------------------------------------------


def test_the_methods_paragraph_has_what_reviewers_ask_for(tmp_path: Path) -> None:
    result = result_of(fake_runs.regression(tmp_path))
    text = paragraph(result)
    for words in (
        "2,000 of 2,000 records of lac_promoter.csv.gz", result["data"]["sha256"], "sequence (dna)",
        "expression (regression)", "1,400 for training, 300 for validation and 400 for the test",
        "No test record is an exact copy, reverse complement or near copy", "131,457 parameters", "peak 0.003",
        "epoch 12", "Spearman correlation was 0.742 (0.731 to 0.753)", "bootstrap of 1,000 draws of records",
        "ridge regression 0.683", "shuffled labels (3 repetitions)", "in-silico mutagenesis (of sequence, on 100 test",
        "bioloom 0.1.0, Python 3.12.3, PyTorch 2.13.0, NumPy 2.4.1", "seed 0",
    ):  # fmt: skip
        assert words in text


def test_the_methods_paragraph_of_a_cross_validation_can_be_cited(tmp_path: Path) -> None:
    text = paragraph(result_of(fake_runs.cross_validated(tmp_path)))
    for words in (
        "evaluated by 5-fold cross-validation (method: similarity)", "trained in the same way on 250 records, with 50 for",
        "The mean over folds was 0.806 (0.756 to 0.856; corrected resampled t interval)",
        "temperature scaling (temperature 1.32) on 45 validation records", "called positive from a probability of 0.300",
        "each as the fold predicted it that had not learned from it, held 87.3 % of test records",
        "with a simple model on top, 0.310 (0.250 to 0.370)",
    ):  # fmt: skip
        assert words in text
    assert "0 for the test" not in text
    assert "None" not in text


def test_the_methods_paragraph_tells_curve_ceiling_and_boosting(tmp_path: Path) -> None:
    text = paragraph(result_of(fake_runs.regression(tmp_path)))
    for words in (
        "gradient boosting 0.691 (0.678 to 0.704)", "200 trees grown on 1,400 records",
        "A learning curve was measured at 88, 350 and 1,400 training records. Twice the data would add about 0.05",
        "the measurement allows an R² of at most 0.912",
        "Prediction intervals by split conformal prediction at a level of 90 %, calibrated on 300 validation records",
    ):  # fmt: skip
        assert words in text


# ---- sections -------------------------------------------------------------------------------------------


def test_every_section_is_seen_in_some_run(tmp_path: Path) -> None:
    facts = [read(build(tmp_path / name)) for name, build in fake_runs.RUNS.items()]
    assert {name for name in sections if any(sections[name].render(each) for each in facts)} == set(sections)


def test_a_run_of_an_earlier_version_has_no_empty_sections(tmp_path: Path) -> None:
    text = page_of(fake_runs.before(tmp_path)).text
    for words in (
        "In each fold",
        "What predict uses",
        "Models that know little",
        "How far may a single",
        "None",
    ):
        assert words not in text


def test_a_fold_run_says_that_no_prediction_saw_its_record(tmp_path: Path) -> None:
    text = page_of(fake_runs.cross_validated(tmp_path)).text
    assert "Each comes from the fold whose network had not seen the record" in text
    assert "The score comes from 5 folds" in text
    assert "all classes that the record may belong to" in text
    assert "bioloom predict gives the predictions of logistic regression" in text


def test_controls_are_shown_beside_what_the_network_adds(tmp_path: Path) -> None:
    text = page_of(fake_runs.regression(tmp_path)).text
    assert "0.310 (0.250 to 0.370) +0.432 (+0.100 to +0.500)" in text
    assert "0.050 (no interval) +0.692 (no interval)" in text
    assert "cells alone: no interval, because the value is not defined in 11% of the bootstrap draws." in text


def test_the_interval_is_drawn_where_it_is_that_of_the_network(tmp_path: Path) -> None:
    run = fake_runs.regression(tmp_path)
    assert "Between the thin lines the 90 % interval" in page_of(run).text
    result = result_of(run)
    result["model"]["delivered"] = "boosting"
    text = page_of(rewrite(run, result)).text
    assert "Between the thin lines" not in text
    assert "This is about gradient boosting, the model that predict uses." in text


def test_the_methods_paragraph_names_the_positive_class_and_copies(tmp_path: Path) -> None:
    text = paragraph(result_of(fake_runs.binary(tmp_path)))
    assert "class (binary, + being the positive class)" in text
    assert "Among the test records are 6 exact copies, 2 reverse complements and 11 near copies" in text


def test_the_methods_paragraph_leaves_out_what_was_not_done(tmp_path: Path) -> None:
    text = paragraph(result_of(fake_runs.multiclass(tmp_path)))
    assert "shuffled" not in text
    assert "explained" not in text
    assert "None" not in text


# ---- numbers and words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.7421, "0.742"), (12.345, "12.3"), (50518.4, "50,518"), (0.0, "0"), (-0.00123, "-0.00123"), (2.1e-7, "2.10e-07"),
     (None, "–"), (float("nan"), "–"), (float("inf"), "–")],
)  # fmt: skip
def test_numbers_are_written_with_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("spearman", 0.7421, "0.742"), ("rmse", 1532.4, "1,532"), ("rmse", 1.5, "1.50"), ("spearman", None, "not defined"),
     ("spearman", -0.0001, "0.000"), ("unheard_of", 0.5, "0.500")],
)  # fmt: skip
def test_scores_are_written_as_their_metric_asks(name: str, value: float | None, text: str) -> None:
    assert score(name, value) == text


def test_a_score_without_an_interval_says_why() -> None:
    lonely = {
        "value": 0.5,
        "low": None,
        "high": None,
        "undefined": "no interval, because 3 records are too few",
    }
    assert with_interval("spearman", lonely) == "0.500 (no interval, because 3 records are too few)"
    assert with_interval("spearman", {"value": None}) == "not defined"


def test_differences_carry_their_sign() -> None:
    assert [signed("spearman", value) for value in (0.05, -0.05, 0.0)] == ["+0.050", "-0.050", "0.000"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (48.4, "48 s"), (185, "3 min 5 s"), (7460, "2 h 4 min"), (59.7, "1 min 0 s")],
)
def test_times_are_written_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_words_fit_into_sentences() -> None:
    assert [sentence(words) for words in ("done", "Is it?", "So.", "")] == ["Done.", "Is it?", "So.", ""]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([]) == ""
    kept = ["Spearman correlation", "ROC AUC", "R²", "Integrated Gradients"]
    assert [in_sentence(words) for words in ["Ridge regression", *kept]] == ["ridge regression", *kept]
    assert (plural(1, "copy", "copies"), plural(2000, "copy", "copies")) == ("1 copy", "2,000 copies")
    assert (short(128), short(3e-05), short(51234.0), short(None)) == ("128", "3e-05", "51,234", "–")
    assert typeset("-0.5 to 95 % of A-1 and --split") == "−0.5 to 95\u00a0% of A-1 and --split"
