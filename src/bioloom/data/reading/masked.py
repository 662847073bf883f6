"""Folders of pictures with a folder of masks beside them: one record for each picture with its mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

from bioloom.data.wording import counted, listed
from bioloom.errors import UserError

PICTURES = ("images", "image", "imgs", "img", "pictures", "raw")
MASKS = (
    "masks",
    "mask",
    "segmentations",
    "segmentation",
    "annotations",
    "labels",
    "gt",
    "groundtruth",
    "ground_truth",
)
"""What the two folders are called, in small letters."""

ENDINGS = ("_mask", "-mask", "_masks", "_label", "_labels", "_seg", "_segmentation", "_gt")
"""What may follow the name of a picture in that of its mask."""

Pair: TypeAlias = tuple[str, str]
"""A picture and its mask, as paths."""


def pairs(names: Sequence[str], folders: Sequence[str], source: str) -> list[Pair] | None:
    """Each picture with its mask, in the order of the pictures; None where the folders are not two of that kind.

    names:   of files, with their folders, divided by /
    folders: (names,) the folder of each that would be its class
    Raises UserError where a picture has no mask, or several, or a mask no picture.
    """
    kinds = set(folders)
    mask = next((kind for kind in kinds if kind.lower() in MASKS), None)
    picture = next((kind for kind in kinds if kind.lower() in PICTURES), None)
    if len(kinds) != 2 or mask is None or picture is None:
        return None
    masks = {_key(name, mask, is_mask=True): name for name in _in(names, folders, mask)}
    pictures = {_key(name, picture, is_mask=False): name for name in _in(names, folders, picture)}
    _refuse_repeated([_key(name, mask, is_mask=True) for name in _in(names, folders, mask)], source)
    _refuse_repeated([_key(name, picture, is_mask=False) for name in _in(names, folders, picture)], source)
    alone = [pictures[key] for key in pictures if key not in masks]
    alone += [masks[key] for key in masks if key not in pictures]
    if alone:
        raise UserError(
            f'The folders "{picture}" and "{mask}" hold pictures and their masks; without partner: '
            f"{counted(len(alone), 'file')}.",
            where=f"{source}: {listed(alone)}",
            fix="give a picture and its mask the same name, and take out what has no partner",
        )
    return [(name, masks[key]) for key, name in pictures.items()]


def _in(names: Sequence[str], folders: Sequence[str], kind: str) -> list[str]:
    return [name for name, folder in zip(names, folders, strict=True) if folder == kind]


def _key(name: str, folder: str, *, is_mask: bool) -> str:
    """What a picture and its mask have in common: all folders but that of their kind, and the name without ending."""
    path = PurePosixPath(name)
    parts = [part for part in path.parts[:-1] if part != folder]
    stem = path.stem
    if is_mask:
        stem = next((stem[: -len(end)] for end in ENDINGS if stem.lower().endswith(end)), stem)
    return "/".join([*parts, stem])


def _refuse_repeated(keys: Sequence[str], source: str) -> None:
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise UserError(
            f"{counted(len(repeated), 'name')} stand for several files, so that it is not clear which belongs to which.",
            where=f"{source}: {listed(repeated)}",
            fix="keep one picture and one mask of each name",
        )
