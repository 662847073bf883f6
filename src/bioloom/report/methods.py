"""The methods paragraph: what was done, with every number a reviewer asks for, read from `result.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioloom.report.numbers import count, metric_title, number, plural, score, short, with_interval
from bioloom.report.questions import COPIES, baseline_title, in_order, looked_for, measured_on
from bioloom.report.words import in_sentence, listed

Result = Mapping[str, Any]

LIBRARIES = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "pandas": "pandas", "sklearn": "scikit-learn",
             "scikit-learn": "scikit-learn", "scipy": "SciPy"}  # fmt: skip
"""Software named in the paragraph, by its key in `environment`."""

OPTIMISERS = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "momentum": "SGD with momentum",
              "nag": "SGD with Nesterov momentum", "adagrad": "Adagrad", "adadelta": "Adadelta",
              "rmsprop": "RMSProp"}  # fmt: skip
"""Optimisers as papers call them; those of plugins keep their names."""

SCHEDULES = {
    "one_cycle": "a one-cycle learning rate",
    "cosine": "a learning rate falling along a cosine",
    "plateau": "a learning rate halved when the validation loss no longer fell",
    "constant": "a constant learning rate",
}


def paragraph(result: Result) -> str:
    """The methods of a run as one paragraph of plain text, ready to paste."""
    sentences = (
        *_data(result),
        *_split(result),
        *_search(result),
        *_model(result),
        *_evaluation(result),
        *_controls(result),
        *_certainty(result),
        *_explanation(result),
        *_software(result),
    )
    return " ".join(sentences)


def _data(result: Result) -> Iterator[str]:
    data, target = result["data"], result["data"]["target"]
    sha = f" (SHA-256 {data['sha256']})" if data.get("sha256") else ""
    yield (f"{count(data['used'])} of {plural(data['rows'], 'record')} of {data['source']} were used{sha}.")
    inputs = listed([f"{each['name']} ({each['modality']})" for each in data["inputs"]])
    positive = (
        f", {target['positive']} being the positive class" if target.get("positive") is not None else ""
    )
    yield (
        f"The {'input was' if len(data['inputs']) == 1 else 'inputs were'} {inputs}; "
        + (
            f"no labels were used ({target['task']})."
            if target.get("labelled") is False and not target.get("written")
            else f"the {'target' if len(target['names']) == 1 else 'targets'} {listed(target['names'])} "
            f"({target['task']}{positive})."
        )
    )


def _split(result: Result) -> Iterator[str]:
    split, counts = result["split"], result["split"]["counts"]
    if split.get("folds"):
        yield from _folds(split, counts)
    else:
        yield (
            f"The records were divided into {count(counts['train'])} for training, {count(counts['validation'])} for "
            f"validation and {count(counts['test'])} for the test (method: {split['method']})."
        )
    counted = looked_for(result)
    found = [plural(n, *COPIES[key]) for key, n in counted.items() if n]
    if found:
        yield f"Among the test records are {listed(found)} of records the model learned from."
    elif counted:
        kinds = listed([COPIES[key][0] for key in counted], "or")
        yield f"No test record is an {kinds} of a record the model learned from."
    if result["leakage"].get("notion"):
        yield f"What counted as near: {in_sentence(str(result['leakage']['notion']).rstrip('.'))}."


def _folds(split: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[str]:
    repeats = split.get("repeats") or 1
    again = f", repeated {repeats} times" if repeats > 1 else ""
    yield (
        f"Models were evaluated by {split['folds']}-fold cross-validation (method: {split['method']}{again}): each record "
        "was predicted by a model that had not learned from its fold, and these predictions were scored together."
    )
    yield (
        f"The final model was trained in the same way on {plural(counts['train'], 'record')}, with "
        f"{count(counts['validation'])} for validation."
    )


def _search(result: Result) -> Iterator[str]:
    found = result.get("search") or {}
    tried = found.get("candidates") or ()
    if not tried:
        return
    yield (
        f"{plural(len(tried), 'candidate')} (networks and settings) were compared on the validation records by successive "
        f"halving (Jamieson and Talwalkar 2016); the default was to be replaced only by one that was better by more than "
        f"luck explains, and {found['chosen']} was trained. Test records took no part in this choice."
    )
    if found.get("folds"):
        yield "In the cross-validation this search was done anew within each fold."


def _model(result: Result) -> Iterator[str]:
    model, training, plan = result["model"], result["training"], result["training"]["plan"]
    optimiser, schedule = plan.get("optimiser", "adamw"), plan.get("schedule", "one_cycle")
    number = int(model.get("members") or 1)
    which = "The network" if number == 1 else f"{number} networks of the kind"
    each = "" if number == 1 else " each"
    verb = "was trained" if number == 1 else "that differ in their random seed were trained"
    yield (
        f"{which} {model['network']} ({plural(model['parameters'], 'parameter')}{each}) {verb} with "
        f"{OPTIMISERS.get(optimiser, optimiser)} and {SCHEDULES[schedule]}{_plan(plan)}."
    )
    yield from _augmented(training.get("augmentation") or {})
    if number > 1:
        yield (
            f"Their raw outputs were averaged to predict; {_held_back(training)}each network kept the weights of its epoch "
            f"with the lowest validation loss ({_epochs(training['members'])})."
        )
        return
    yield (
        f"Training ended after {plural(training['epochs_run'], 'epoch')}; the weights of epoch "
        f"{training['best_epoch']}, with the lowest validation loss, were kept."
    )


def _held_back(training: Mapping[str, Any]) -> str:
    return "each held back other records for validation; " if training.get("rotated") else ""


AUGMENTED = {
    "reverse_complement": "half of the DNA sequences, drawn anew in every step, were read from the other strand, and "
    "predictions are the mean of both strands",
    "shift": "inputs were moved by up to {} positions",
    "mutation": "a share of {} of the letters was replaced",
    "noise": "noise of {} standard deviations was added to each column or channel",
    "mixing": "pairs of records were mixed (mixup, shares from a beta distribution with parameters {})",
    "mirror": "half of the pictures were mirrored left to right",
    "upside_down": "half of the pictures were mirrored top to bottom",
    "rotation": "pictures were turned by up to {} degrees",
    "crop": "up to a share of {} of the height and width of pictures was cut away",
    "colour": "brightness, contrast and colours were changed by up to {} standard deviations",
    "elastic": "parts of pictures were moved against each other by up to {} pixels",
}
"""How training records were changed at random, in words."""


def _augmented(told: Mapping[str, Any]) -> Iterator[str]:
    if told:
        words = [AUGMENTED[key].format(short(value)) for key, value in told.items() if key in AUGMENTED]
        yield f"While learning, {'; '.join(words)}."


def _epochs(members: Sequence[Mapping[str, Any]]) -> str:
    """At which epochs of how many the networks were at their best."""
    best, ran = ([int(each[key]) for each in members] for key in ("best_epoch", "epochs_run"))
    return f"epochs {listed(list(map(str, best)))} of {listed(sorted({str(each) for each in ran}), 'or')}"


def _plan(plan: Mapping[str, Any]) -> str:
    words = {
        "learning_rate": "peak {}",
        "weight_decay": "weight decay {}",
        "batch_size": "{} records per step",
        "epochs": "at most {} epochs",
        "patience": "early stopping with a patience of {} epochs",
        "clip": "gradients clipped to a norm of {}",
        "precision": "{} arithmetic",
    }
    changed = {
        "accumulate": "{} batches per step",
        "average": "average of the weights: {}",
        "l1": "L1 penalty {}",
        "l2": "L2 penalty {}",
        "loss": "{} loss",
        "label_smoothing": "label smoothing {}",
        "focal": "focal loss with exponent {}",
        "class_weights": "{} classes",
        "lora": "low-rank changes (LoRA) of rank {} beside the layers learned before",
    }
    usual = {"accumulate": 1, "average": "ema", "loss": "auto", "class_weights": "none"}
    told = [
        text.format(plan[key] if isinstance(plan[key], str) else short(plan[key]))
        for key, text in (words | changed).items()
        if plan.get(key) is not None and (key in words or plan[key] != usual.get(key, 0))
    ]
    return f" ({', '.join(told)})" if told else ""


def _evaluation(result: Result) -> Iterator[str]:
    metric, scores = result["scores"]["primary"], result["scores"]
    model = scores["model"][metric]
    kind = f" ({model['interval']})" if model.get("interval") not in (None, "none") else ""
    yield (
        f"On the test records the {in_sentence(metric_title(metric))} was {with_interval(metric, model)}; brackets "
        f"hold 95 % intervals{kind}."
    )
    yield from _over_folds(result, metric)
    told = [
        f"{in_sentence(baseline_title(name, scores['baselines'][name]))}"
        f"{' ' if scored.get('value') is not None else ', '}{with_interval(metric, scored)}"
        for name in in_order(list(scores["baselines"]))
        if (scored := (scores["baselines"][name].get("scores") or {}).get(metric))
    ]
    if told:
        yield f"Baselines on the same records: {'; '.join(told)}."
    described = [
        str(baseline["description"])
        for name in in_order(list(scores["baselines"]))
        if name != "trivial" and (baseline := scores["baselines"][name]).get("description")
    ]
    if described:
        yield f"Fitted on the final training records, these are: {'; '.join(described)}."


def _over_folds(result: Result, metric: str) -> Iterator[str]:
    found = result.get("folds") or {}
    mean, ends = (found.get("mean") or {}).get(metric), (found.get("interval") or {}).get(metric)
    if mean is None:
        return
    span = (
        f" ({score(metric, ends[0])} to {score(metric, ends[1])}; corrected resampled t interval)"
        if ends
        else ""
    )
    yield f"The mean over folds was {score(metric, mean)}{span}."


def _controls(result: Result) -> Iterator[str]:
    """What was done to see whether the score owes to something else than learning."""
    metric, controls = result["scores"]["primary"], result.get("controls") or {}
    shuffle = controls.get("label_shuffle") or {}
    if shuffle.get("mean") is not None:
        times = f" ({plural(len(shuffle['values']), 'repetition')})" if shuffle.get("values") else ""
        real = (
            f", and {score(metric, shuffle['real'])} on true labels"
            if shuffle.get("real") is not None
            else ""
        )
        yield (
            f"Trained briefly on shuffled labels{times}, the same procedure reached a mean of "
            f"{score(metric, shuffle['mean'])}{real}."
        )
    told = [
        f"{each['title']}, {with_interval(metric, each['score'])}" for each in controls.get("others") or ()
    ]
    if told:
        yield f"Controls: {'; '.join(told)}."
    curve = result.get("learning_curve") or {}
    sizes = sorted(
        {int(point["n"]) for point in curve.get("points") or () if point.get("role", "model") == "model"}
    )
    if len(sizes) > 1:
        yield f"A learning curve was measured at {listed([count(size) for size in sizes])} training records. {curve['text']}"
    if (result.get("ceiling") or {}).get("text"):
        yield str(result["ceiling"]["text"])


def _certainty(result: Result) -> Iterator[str]:
    """Calibration of probabilities, and intervals around single predictions."""
    fitted = (result.get("calibration") or {}).get("fitted") or {}
    if fitted.get("after") is not None:
        yield (
            f"Probabilities were calibrated by temperature scaling (temperature {number(fitted['temperature'])}) on "
            f"{plural(int(fitted['records']), 'validation record')}."
        )
    if fitted.get("threshold", 0.5) != 0.5:
        yield f"Records were called positive from a probability of {number(fitted['threshold'])}."
    promised = result.get("uncertainty") or {}
    held = next((each for each in promised.get("coverage") or () if each.get("value") is not None), None)
    if held is None or held.get("size") is None:
        return
    what = "Sets of classes" if promised.get("kind") == "sets" else "Prediction intervals"
    yield (
        f"{what} by split conformal prediction at a level of {100 * promised['level']:g} %, "
        f"{'in proportion to the spread that the network predicts, ' if promised.get('scaled') else ''}calibrated on "
        f"{measured_on(result)}, held {100 * held['value']:.1f} % of test records."
    )


def _explanation(result: Result) -> Iterator[str]:
    told = [_explained(entry) for entry in result.get("explanation") or ()]
    if told:
        yield f"Predictions were explained by {listed(list(dict.fromkeys(told)))}."


def _explained(entry: Mapping[str, Any]) -> str:
    called = in_sentence(str(entry.get("title") or entry["method"]).partition(" (")[0])
    details = [f"of {entry['input']}"]
    if entry.get("records"):
        details.append(f"on {plural(int(entry['records']), 'test record')}")
    if entry.get("reference"):
        details.append(f"compared with {entry['reference']}")
    return f"{called} ({', '.join(details)})"


def _software(result: Result) -> Iterator[str]:
    environment = dict(result.get("environment") or {})
    environment |= environment.get("packages") or {}
    found = [f"{name} {environment[key]}" for key, name in LIBRARIES.items() if environment.get(key)]
    version = environment.get("bioloom") or result.get("bioloom", "")
    device = f" on {result['training']['device']}" if result["training"].get("device") else ""
    yield f"Software: {', '.join([f'bioloom {version}'.strip(), *found])}; run{device} with seed {result['seed']}."
