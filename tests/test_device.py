import pytest
import torch

from bioloom.errors import UserError
from bioloom.processors import processors
from bioloom.training import device


def test_auto_prefers_a_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose("auto") == "cuda"
    assert device.choose("cpu") == "cpu"


@pytest.mark.parametrize(("name", "words"), [("cuda", "NVIDIA"), ("mps", "Apple")])
def test_a_device_that_is_not_here_is_refused(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"does not have an {words} graphics") as caught:
        device.choose(name)
    assert "--device auto" in caught.value.fix


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UserError, match='no device called "tpu"'):
        device.choose("tpu")


def test_small_work_gets_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "processors", lambda: 8)
    # multiplications of a batch: the course CNN, a deep network
    course, large = (
        3_280 * 100,
        50_000_000 * 256,
    )
    assert (device.threads_for(course), device.threads_for(large)) == (1, 8)
    assert (device.threads_for(course, 3), device.threads_for(large, 3)) == (3, 3)
    assert device.threads_for(large, 500) == 8


def test_a_session_leaves_everything_as_it_was() -> None:
    before = torch.get_num_threads()
    with device.session(before + 1):
        assert torch.get_num_threads() == before + 1
        assert torch.backends.cudnn.deterministic
    assert torch.get_num_threads() == before
    assert not torch.backends.cudnn.deterministic


def test_a_session_of_one_thread_leaves_other_processors_to_other_trainings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = processors()
    with device.session(1):
        assert processors() == before
