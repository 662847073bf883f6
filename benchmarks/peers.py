"""How others train the two networks: run by the Python that holds them, without bioloom.

Each side trains once to warm up, then is timed from data in memory to a trained network, validation after every epoch
included. Each is written as its documentation writes it, with Adam at 0.001.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.measure import timed
from benchmarks.problems import Problem, course, reporter

DEVICE = os.environ.get("BIOLOOM_DEVICE", "cpu")
SEED = int(os.environ.get("BIOLOOM_ROUND", "0"))
EPOCHS = {"course": 20, "reporter": 3}
BATCH = {"course": 100, "reporter": 128}


def _problem(name: str) -> Problem:
    return course() if name == "course" else reporter()


def _time(fit: Callable[[int], dict[str, float]], name: str) -> None:
    fit(1)
    timed(lambda: fit(EPOCHS[name]))


# ---- plain torch -------------------------------------------------------------------------------------------


def _network(name: str) -> Any:
    from torch import nn

    if name == "course":
        return nn.Sequential(nn.Conv1d(4, 10, 5), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(40, 2))
    layers: list[nn.Module] = []
    for channels in (4, 120, 120):
        layers += [nn.Conv1d(channels, 120, 8, padding="same"), nn.ReLU()]
    head = [nn.Flatten(), nn.Linear(6000, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, 1)]
    return nn.Sequential(*layers, *head)


def _tensors(name: str) -> tuple[Any, Any, int, int]:
    import torch

    problem = _problem(name)
    truth = torch.from_numpy(problem.truth)
    truth = truth.long() if name == "course" else truth[:, None]
    x = torch.from_numpy(problem.one_hot)
    return x.to(DEVICE), truth.to(DEVICE), problem.train, problem.train + problem.validation


def _loss(name: str) -> Any:
    from torch import nn

    return nn.CrossEntropyLoss() if name == "course" else nn.MSELoss()


def _torch(name: str, loader: bool) -> None:
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(SEED)
    _time(lambda epochs: torch_fit(name, loader, epochs), name)


def torch_fit(name: str, loader: bool, epochs: int) -> dict[str, float]:
    """One training in plain torch; without a loader the tensors in memory are indexed."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x, y, train, end = _tensors(name)
    network, criterion, size = _network(name).to(DEVICE), _loss(name), BATCH[name]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    batches = DataLoader(TensorDataset(x[:train], y[:train]), batch_size=size, shuffle=True)
    loss = 0.0
    for _ in range(epochs):
        network.train()
        parts = batches if loader else ((x[i], y[i]) for i in torch.randperm(train).split(size))
        for inputs, truth in parts:
            optimiser.zero_grad()
            criterion(network(inputs), truth).backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            loss = float(criterion(network(x[train:end]), y[train:end]))
    return {"loss": loss}


def torch_course() -> None:
    _torch("course", loader=False)


def torch_reporter() -> None:
    _torch("reporter", loader=False)


def loader_course() -> None:
    _torch("course", loader=True)


def loader_reporter() -> None:
    _torch("reporter", loader=True)


def torch_folds() -> None:
    """Ten trainings, one after another."""
    import torch

    torch.set_num_threads(1)
    torch_fit("course", False, 1)
    timed(lambda: [torch_fit("course", False, EPOCHS["course"]) for _ in range(10)])


# ---- Lightning ---------------------------------------------------------------------------------------------


def _lightning(name: str) -> None:
    import lightning
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(SEED)
    x, y, train, end = _tensors(name)

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network, self.criterion = _network(name), _loss(name)

        def training_step(self, batch: Any, _: int) -> Any:
            return self.criterion(self.network(batch[0]), batch[1])

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("loss", self.criterion(self.network(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    def fit(epochs: int) -> dict[str, float]:
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="gpu" if DEVICE == "cuda" else "cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        learn = DataLoader(TensorDataset(x[:train], y[:train]), batch_size=BATCH[name], shuffle=True)
        watch = DataLoader(TensorDataset(x[train:end], y[train:end]), batch_size=1024)
        trainer.fit(Module(), learn, watch)
        return {"loss": float(trainer.callback_metrics["loss"])}

    _time(fit, name)


def lightning_course() -> None:
    _lightning("course")


def lightning_reporter() -> None:
    _lightning("reporter")


# ---- skorch ------------------------------------------------------------------------------------------------


def _skorch(name: str) -> None:
    import torch
    from skorch import NeuralNet
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(SEED)
    x, y, train, end = _tensors(name)

    def fit(epochs: int) -> dict[str, float]:
        watch = predefined_split(Dataset(x[train:end], y[train:end]))
        net = NeuralNet(
            _network(name), type(_loss(name)), optimizer=torch.optim.Adam, lr=1e-3, max_epochs=epochs,
            batch_size=BATCH[name], train_split=watch, iterator_train__shuffle=True, verbose=0,
        )  # fmt: skip
        net.fit(x[:train], y[:train])
        return {"loss": float(net.history[-1, "valid_loss"])}

    _time(fit, name)


def skorch_course() -> None:
    _skorch("course")


def skorch_reporter() -> None:
    _skorch("reporter")


# ---- Keras -------------------------------------------------------------------------------------------------


def _keras(name: str, backend: str, policy: str = "float32") -> None:
    fit = _keras_fit(name, backend, policy)
    _time(fit, name)


def _keras_fit(name: str, backend: str, policy: str = "float32") -> Callable[[int], dict[str, float]]:
    os.environ["KERAS_BACKEND"] = backend
    threads = int(os.environ["OMP_NUM_THREADS"])
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    else:
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    import keras
    from keras import layers

    keras.utils.set_random_seed(SEED)
    keras.config.set_dtype_policy(policy)
    problem = _problem(name)
    x = problem.one_hot.transpose(0, 2, 1).copy()  # Keras wants (records, positions, letters)
    train, end = problem.train, problem.train + problem.validation

    def network() -> Any:
        if name == "course":
            body = [layers.Conv1D(10, 5, activation="relu"), layers.MaxPooling1D(4), layers.Flatten()]
            return keras.Sequential([layers.Input((20, 4)), *body, layers.Dense(2, activation="softmax")])
        body = [layers.Conv1D(120, 8, padding="same", activation="relu") for _ in range(3)]
        head = [layers.Flatten(), layers.Dense(40, activation="relu"), layers.Dropout(0.2)]
        return keras.Sequential([layers.Input((50, 4)), *body, *head, layers.Dense(1, dtype="float32")])

    def fit(epochs: int) -> dict[str, float]:
        model = network()
        loss = "sparse_categorical_crossentropy" if name == "course" else "mse"
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
        history = model.fit(
            x[:train], problem.truth[:train], validation_data=(x[train:end], problem.truth[train:end]),
            batch_size=BATCH[name], epochs=epochs, verbose=0,
        )  # fmt: skip
        return {"loss": float(history.history["val_loss"][-1])}

    return fit


def keras_tensorflow_course() -> None:
    _keras("course", "tensorflow")


def keras_torch_course() -> None:
    _keras("course", "torch")


def keras_tensorflow_reporter() -> None:
    _keras("reporter", "tensorflow")


def keras_torch_reporter() -> None:
    _keras("reporter", "torch")


def keras_bfloat16_reporter() -> None:
    _keras("reporter", "tensorflow", "mixed_bfloat16")


def keras_whole() -> None:
    """A whole process with TensorFlow: start, read a table, train once, predict, and nothing else."""
    import subprocess

    command = [sys.executable, "-c", "from benchmarks.peers import keras_script; keras_script()"]
    timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL) and {})


def keras_script() -> None:
    print(_keras_fit("course", "tensorflow")(EPOCHS["course"]))


# ---- gReLU -------------------------------------------------------------------------------------------------


def grelu_reporter() -> None:
    """gReLU's own data set, model and trainer; its convolution block is the same three layers."""
    import tempfile

    import pandas as pd
    import torch
    from grelu.data.dataset import DFSeqDataset
    from grelu.lightning import LightningModel

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(SEED)
    problem = _problem("reporter")
    letters = ["".join("ACGT"[token] for token in row) for row in problem.tokens]
    frame = pd.DataFrame({"seq": letters, "y": problem.truth})
    end = problem.train + problem.validation
    learn, watch = (DFSeqDataset(part) for part in (frame[: problem.train], frame[problem.train : end]))

    def fit(epochs: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            model = LightningModel(
                model_params={
                    "model_type": "ConvMLPModel", "seq_len": 50, "n_tasks": 1, "stem_channels": 120,
                    "stem_kernel_size": 8, "n_conv": 3, "channel_init": 120, "kernel_size": 8,
                    "residual": False, "mlp_hidden_size": [40], "dropout": 0.2,
                },
                train_params={
                    "task": "regression", "loss": "mse", "lr": 1e-3, "batch_size": 128, "num_workers": 0,
                    "max_epochs": epochs, "devices": "cpu", "logger": None, "save_dir": folder,
                },
            )  # fmt: skip
            trainer = model.train_on_dataset(learn, watch)
            return {"loss": float(trainer.callback_metrics["val_loss"])}

    _time(fit, "reporter")
