"""A genome in a FASTA file, of which pieces are read by their place without reading the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bioloom.data.reading.raw import RawFile, open_file
from bioloom.data.wording import listed
from bioloom.errors import UserError, did_you_mean

_BLOCK = 1 << 24


@dataclass(frozen=True)
class Entry:
    """Where a sequence lies in its file, as in a .fai index.

    length: letters; offset: byte of the first letter; letters, bytes: of a full line, without and with its end
    """

    length: int
    offset: int
    letters: int
    bytes: int


@dataclass(frozen=True)
class Genome:
    """Sequences of a FASTA file by name.

    path:    the file, not packed
    entries: by name; from the index beside the file (.fai) where there is a newer one, or found by reading it once
    """

    path: Path
    entries: Mapping[str, Entry]

    def __contains__(self, name: str) -> bool:
        return self.known_as(name) is not None

    def known_as(self, name: str) -> str | None:
        """The name that the file gives to a sequence: "chr1" and "1" are the same; None where there is none."""
        tried = (
            name,
            name.removeprefix("chr"),
            f"chr{name}",
            "chrM" if name == "MT" else "MT" if name == "chrM" else name,
        )
        return next((each for each in tried if each in self.entries), None)

    def length(self, name: str) -> int:
        """Letters of a sequence."""
        return self.entries[self._found(name)].length

    def fetch(self, name: str, start: int, end: int) -> str:
        """The letters from start to end, 0-based and half-open, in capitals; N beyond either end of the sequence.

        Raises UserError for a sequence that the genome does not have.
        """
        entry = self.entries[self._found(name)]
        first, last = max(0, start), min(entry.length, end)
        if first >= last:
            return "N" * max(0, end - start)
        begin, stop = self._byte(entry, first), self._byte(entry, last - 1) + 1
        with self.path.open("rb") as stream:
            stream.seek(begin)
            text = stream.read(stop - begin).translate(None, b"\r\n \t").decode("latin-1").upper()
        if len(text) != last - first:
            raise UserError(
                "The index of the genome does not fit it.",
                where=str(self.path),
                fix="delete the .fai file beside it",
            )
        return "N" * (first - start) + text + "N" * (end - last)

    @staticmethod
    def _byte(entry: Entry, position: int) -> int:
        line, rest = divmod(position, entry.letters)
        return entry.offset + line * entry.bytes + rest

    def _found(self, name: str) -> str:
        known = self.known_as(name)
        if known is None:
            raise UserError(
                f'The genome has no sequence called "{name}".{did_you_mean(name, self.entries)}',
                where=str(self.path),
                fix=f"its sequences are called: {listed(list(self.entries))}",
            )
        return known


def open_genome(path: Path) -> Genome:
    """Find the sequences of a FASTA file.

    Raises UserError for a packed file, and for lines of different lengths within a sequence, which cannot be indexed.
    """
    file = open_file(path)
    if file.packed:
        raise UserError(
            "Pieces of a packed genome cannot be read by their place.",
            where=str(path),
            fix=f"unpack it: gunzip -k {path}",
        )
    index = path.with_name(path.name + ".fai")
    if index.exists() and index.stat().st_mtime >= path.stat().st_mtime:
        return Genome(path, _read_index(index))
    return Genome(path, _indexed(file))


def _read_index(path: Path) -> dict[str, Entry]:
    entries = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) < 5 or not all(field.isdecimal() for field in fields[1:5]):
            raise UserError(
                "The index of the genome is damaged.",
                where=f"{path}, line {number}",
                fix="delete it; it is not needed",
            )
        length, offset, letters, size = map(int, fields[1:5])
        entries[fields[0]] = Entry(length, offset, letters, size)
    return entries


def _indexed(file: RawFile) -> dict[str, Entry]:
    """Read a FASTA once, line by line, and note where each sequence lies."""
    entries: dict[str, Entry] = {}
    name, length, start, letters, size, short = "", 0, 0, 0, 0, 0
    offset = 0
    with file.path.open("rb", buffering=_BLOCK) as stream:
        for number, line in enumerate(stream, start=1):
            offset += len(line)
            text = line.rstrip()
            if line.startswith(b">"):
                if name:
                    entries[name] = Entry(length, start, max(1, letters), max(1, size))
                words = text[1:].split()
                name = words[0].decode("utf-8", "replace") if words else f"sequence_{len(entries) + 1}"
                length, start, letters, size, short = 0, offset, 0, 0, 0
                continue
            if short and text:
                raise _uneven(name, file, short)
            if not text:
                short = short or number  # an empty line inside of a sequence would shift all that follows
                continue
            letters, size = (letters, size) if letters else (len(text), len(line))
            if len(text) > letters or (len(text) == letters and len(line) != size and line.endswith(b"\n")):
                raise _uneven(name, file, number)
            short = number if len(text) < letters else 0
            length += len(text)
    if name:
        entries[name] = Entry(length, start, max(1, letters), max(1, size))
    if not entries:
        raise UserError("There is no sequence in this file.", where=file.shown, fix="give a genome as FASTA")
    return entries


def _uneven(name: str, file: RawFile, line: int) -> UserError:
    return UserError(
        f'The lines of "{name}" differ in length, so that places in it cannot be found.',
        where=f"{file.shown}, line {line}",
        fix="write the genome with lines of one length, for instance with seqtk seq -l 60",
    )
