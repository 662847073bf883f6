"""Text of any encoding as UTF-8, with a note wherever something had to be guessed."""

from __future__ import annotations

from bioloom.errors import UserError

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def as_utf8(content: bytes, shown: str) -> tuple[bytes, tuple[str, ...]]:
    """The same text in UTF-8 without byte-order mark, with Unix line ends where they were old Mac ones.

    Tried in this order: byte-order mark, UTF-16 without a mark (every other byte is zero), UTF-8, and line by
    line Windows-1252 (which holds latin-1's letters). Raises UserError for text that is damaged.
    """
    encoding, skip = _marked(content)
    notes: tuple[str, ...] = ()
    if encoding != "utf-8":
        content, notes = _recoded(content[skip:], encoding, shown), (f"decoded as {encoding.upper()}",)
    else:
        content = content[skip:] if skip else content
        if not content.isascii() and not _is_utf8(content):
            content, notes = _guessed(content)
    if b"\x00" in content:
        raise _zero_bytes(content, shown)
    if b"\r" in content and b"\n" not in content:
        content, notes = content.replace(b"\r", b"\n"), (*notes, "old Mac line ends (CR) read as line ends")
    return content, notes


def text_of(head: bytes) -> str:
    """The first bytes of a file as text to recognise it by; what cannot be decoded is replaced."""
    encoding, skip = _marked(head)
    return head[skip:].decode(encoding, "replace")


def is_plain(head: bytes) -> bool:
    """Whether a file that begins so can be decoded as UTF-8 on the way, without looking at all of it first."""
    return _marked(head)[0] == "utf-8" and b"\x00" not in head


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text: hardly a control character beside the usual white space.

    Zero bytes pass, as long as they are few: they are the mark of damaged text, which as_utf8 tells in full.
    """
    if _marked(head)[0] != "utf-8":
        return True
    control = sum(head.count(byte) for byte in range(1, 32) if byte not in (9, 10, 12, 13))
    return control <= 1 + len(head) // 1000 and head.count(0) <= len(head) // 2


def _marked(content: bytes) -> tuple[str, int]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, len(mark)
    start = content[:4096]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > len(start) // 4 and not even:
        return "utf-16-le", 0
    if even > len(start) // 4 and not odd:
        return "utf-16-be", 0
    return "utf-8", 0


def _recoded(content: bytes, encoding: str, shown: str) -> bytes:
    try:
        return content.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"The text begins as {encoding.upper()} but is damaged at byte {error.start}.",
            where=shown,
            fix="save the file again as UTF-8",
        ) from error


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guessed(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Each line by itself: UTF-8 where it is valid, else Windows-1252, else latin-1 (which knows all bytes)."""
    lines, guessed, other = content.split(b"\n"), 0, 0
    first = 0
    for index, line in enumerate(lines):
        if line.isascii():
            continue
        if _is_utf8(line):
            other += 1
            continue
        lines[index] = _western(line).encode()
        guessed, first = guessed + 1, first or index + 1
    note = f"decoded as Windows-1252 (latin-1): {guessed} of the lines, the first is line {first}"
    if other:
        note = f"two encodings in one file: UTF-8 in {other} of the lines; {note}"
    return b"\n".join(lines), (f"{note}; check names with accents",)


def _western(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _zero_bytes(content: bytes, shown: str) -> UserError:
    place = content.index(b"\x00")
    line = content.count(b"\n", 0, place) + 1
    return UserError(
        f"The file holds zero bytes ({content.count(0):,}), as a copy does that was broken off.",
        where=f"{shown}, line {line}",
        fix="copy or export the file again",
    )
