"""Files that hold no table of records: recognised, so that the message can say what to do with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioloom.errors import UserError

if TYPE_CHECKING:
    from bioloom.data.reading.raw import RawFile


@dataclass(frozen=True)
class Foreign:
    """A kind of file that is known but not read.

    name: as a message calls it, with its article
    mark: the first bytes, a pattern for the first bytes, or a function of the file
    fix:  what to do instead
    """

    name: str
    mark: bytes | re.Pattern[bytes] | Callable[[RawFile], bool]
    fix: str

    def fits(self, file: RawFile) -> bool:
        """Whether a file is of this kind."""
        if isinstance(self.mark, bytes):
            return file.head.startswith(self.mark)
        if isinstance(self.mark, re.Pattern):
            return self.mark.match(file.head.lstrip(b"\xef\xbb\xbf \t\r\n")) is not None
        return self.mark(file)


_IMAGE = "give the folder of the pictures, or a table with a column that names them"
_UNPACK = "unpack it and name the file inside"
_EXPORT = "export the values as CSV, TSV or Parquet"
_SEQUENCES = "convert it to FASTA"
_NO_PICKLE = "a pickle can run any program when opened, so it never is; save the data as CSV or Parquet"


def _zipped(inside: bytes) -> Callable[[RawFile], bool]:
    return lambda file: file.head.startswith(b"PK\x03\x04") and inside in file.head


def _is_tar(file: RawFile) -> bool:
    return file.head[257:262] == b"ustar"


def _is_protected(file: RawFile) -> bool:
    word = "EncryptedPackage".encode("utf-16-le")
    return file.head.startswith(b"\xd0\xcf\x11\xe0") and (word in file.head or file.suffix == ".xlsx")


KINDS = (
    Foreign("an Excel workbook with a password", _is_protected, "open it in Excel and save it without one"),
    Foreign(
        "an old Excel workbook (.xls)", b"\xd0\xcf\x11\xe0", "open it in Excel and save it as .xlsx or CSV"
    ),
    Foreign("an OpenDocument file", _zipped(b"opendocument"), "save the sheet as .xlsx or CSV"),
    Foreign("a Word document", _zipped(b"word/"), "save the table in it as CSV"),
    Foreign("a NumPy array (.npy)", b"\x93NUMPY", "load it and give the arrays: read((inputs, target))"),
    Foreign("a PyTorch or pickle archive", _zipped(b"data.pkl"), _NO_PICKLE),
    Foreign("a pickle", re.compile(rb"\x80[\x02-\x05]"), _NO_PICKLE),
    Foreign("a zip archive", b"PK", _UNPACK),
    Foreign("a tar archive", _is_tar, _UNPACK),
    Foreign("a 7z archive", b"7z\xbc\xaf\x27\x1c", _UNPACK),
    Foreign("a RAR archive", b"Rar!", _UNPACK),
    Foreign("a PDF", b"%PDF", "copy the table in it to a CSV file"),
    Foreign("a PNG image", b"\x89PNG", _IMAGE),
    Foreign("a JPEG image", b"\xff\xd8\xff", _IMAGE),
    Foreign("a GIF image", b"GIF8", _IMAGE),
    Foreign("a TIFF image", re.compile(rb"II\*\x00|MM\x00\*"), _IMAGE),
    Foreign("an HDF5 file (.h5, .h5ad)", b"\x89HDF", _EXPORT),
    Foreign("an Arrow or Feather file", b"ARROW1", "save it as Parquet, or load it and give the data frame"),
    Foreign(
        "an R data file", re.compile(rb"RD[AX][23]\n|X\n\x00\x00\x00"), "in R: write.csv(data, 'data.csv')"
    ),
    Foreign("an SQLite database", b"SQLite format 3", _EXPORT),
    Foreign("a BAM file", b"BAM\x01", "convert it: samtools fastq"),
    Foreign("a CRAM file", b"CRAM", "convert it: samtools fastq"),
    Foreign("a SAM file", re.compile(rb"@(HD|SQ|RG|PG|CO)\t"), "convert it: samtools fastq"),
    Foreign(
        "a VCF file", re.compile(rb"##fileformat=VCF"), "make a table with one row per sequence or variant"
    ),
    Foreign(
        "a GFF file", re.compile(rb"##gff-version"), "make a table or FASTA of the sequences it points at"
    ),
    Foreign("a GenBank file", re.compile(rb"LOCUS {2,}\S+ "), _SEQUENCES),
    Foreign("an EMBL file", re.compile(rb"ID {3}\S+.*;"), _SEQUENCES),
    Foreign(
        "a file of motif matrices (PFM)",
        re.compile(rb"(?:#[^\n]*\n\s*)*>[^\n]*\n\s*[ACGT]?\s*\[?\s*[-\d.]+\s+[-\d.]+\s"),
        "give sequences; motifs are no records",
    ),
    Foreign("a Stockholm alignment", re.compile(rb"# STOCKHOLM"), _SEQUENCES),
    Foreign("a Clustal alignment", re.compile(rb"CLUSTAL"), _SEQUENCES),
    Foreign(
        "a protein structure", re.compile(rb"HEADER {4}\S|data_\w+\s+(#|_entry)"), "give a table of sequences"
    ),
    Foreign(
        "a web page (HTML)",
        re.compile(rb"<!doctype html|<html", re.IGNORECASE),
        "download the file itself; this is the page of a log-in, an error or a preview",
    ),
    Foreign("an XML file", b"<?xml", _EXPORT),
    Foreign("an RTF document", b"{\\rtf", "save the table in it as CSV"),
    Foreign("a JSON file", re.compile(rb'\{\s*["}]|\[\s*[\[{"\d]'), _EXPORT),
)


def refuse_known(file: RawFile, supported: str) -> None:
    """Raise UserError where the file is of a kind that is known and not read."""
    for kind in KINDS:
        if kind.fits(file):
            raise UserError(
                f"This is {kind.name}, not a table of records.",
                where=file.shown,
                fix=f"{kind.fix} (bioloom reads: {supported})",
            )


def unknown(file: RawFile, supported: str) -> UserError:
    """The error for bytes that are no text and nothing known."""
    return UserError(
        "The file is neither text nor of a known format: it begins with control characters.",
        where=file.shown,
        fix=f"check that it is the right file and whole; bioloom reads: {supported}",
    )
