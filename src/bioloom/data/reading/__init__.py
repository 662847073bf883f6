"""What the readers of all formats share: finding files, their bytes and text, cells, and joining tables.

sources   what a user writes (path, pattern, folder, name) -> files
raw       a file's bytes, unpacked; encoding: its text as UTF-8
foreign   files that hold no table, each with what to do instead
grid      cells of a text table -> a frame, each repair with a note; missing: which cells are
frames    data frames and arrays -> Table
joining   labels beside sequences by id, one file per class
"""
