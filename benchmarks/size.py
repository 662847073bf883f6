"""Claim: what bioloom installs beyond torch and torch's own needs takes less than 400 MB.

Counted are the files of the packages, as the set-up script installs them: without byte code for modules that
nobody imports (pip's --no-compile). A plain `pip install` compiles all of them, which the last line adds."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.measure import RESULTS


def needs(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """A distribution and all that it requires without extras, by name."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return found
    try:
        found[key] = distribution(name)
    except PackageNotFoundError:  # for another platform or Python
        return found
    for requirement in found[key].requires or ():
        if "extra ==" not in requirement:
            needs(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0], found)
    return found


def megabytes(package: Distribution, compiled: bool) -> float:
    """The size of its byte code, or of all its other files."""
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return (
        sum(file.stat().st_size for file in files if file.is_file() and (file.suffix == ".pyc") == compiled)
        / 1e6
    )


def main() -> None:
    torch = needs("torch", {})
    others = {name: each for name, each in needs("bioloom", {}).items() if name not in torch}
    sizes = {name: megabytes(each, compiled=False) for name, each in others.items()}
    compiled = sum(megabytes(each, compiled=True) for each in others.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:8]
    lines = [__doc__ or "", *(f"{size:7.1f} MB  {name}" for name, size in largest)]
    lines += ["", f"{sum(sizes.values()):7.1f} MB  {len(sizes)} packages in all (ceiling 400 MB)"]
    lines += [f"{compiled:7.1f} MB  of byte code more, where pip compiled everything", ""]
    text = "\n".join(lines)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "size.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
