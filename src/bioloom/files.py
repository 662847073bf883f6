"""Writing files so that a killed process or a full disk never leaves half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bioloom.errors import UserError


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename."""
    write_parts(path, (content,))


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """The same for a file whose content is made part by part and never in memory together."""
    handle, temporary = -1, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            for part in parts:
                stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise as_user_error(path, error) from error
    except BaseException:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, content.encode())


def append_line(path: Path, line: str) -> None:
    """Add a line of UTF-8 text to a file that grows, such as a log."""
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    except OSError as error:
        raise as_user_error(path, error) from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, keys in the order given; NaN is refused (use null with a reason)."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def cache_folder() -> Path:
    """Where this user's programs keep what they can make again. Raises RuntimeError for a user without a home folder."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "bioloom"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "bioloom" / "cache"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "bioloom"


def word(name: str, also: str = "-_", longest: int = 60) -> str:
    """A name as a part of a file name: letters and digits of any script, and `also`; an underscore for all else."""
    return "".join(c if c.isalnum() or c in also else "_" for c in name)[:longest]


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def as_user_error(path: Path, error: OSError) -> UserError:
    """Why a file could not be written, in words a user can act on."""
    reasons = {
        errno.ENOSPC: ("The disk is full.", "free some space or choose another folder (--outdir, --out)"),
        errno.EDQUOT: (
            "Your quota on this disk is used up.",
            "free some space or choose a folder on another disk (--outdir, --out)",
        ),
        errno.ENAMETOOLONG: (
            "The name is too long for this disk.",
            "choose a shorter name (--outdir, --out)",
        ),
        errno.EACCES: ("This place may not be written to.", "choose another folder (--outdir, --out)"),
        errno.EROFS: ("This disk is read-only.", "choose another folder (--outdir, --out)"),
        errno.EEXIST: ("A file stands where a folder is needed.", "choose another folder (--outdir, --out)"),
        errno.ENOTDIR: ("A file stands where a folder is needed.", "choose another folder (--outdir, --out)"),
    }
    what, fix = reasons.get(error.errno or 0, (f"The file could not be written ({error.strerror}).", ""))
    return UserError(what, where=str(path), fix=fix)
