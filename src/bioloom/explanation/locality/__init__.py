"""Asking a network about single substitutions by working out only what each of them can change.

`windowed` decides whether that pays and asks; `local` is the tensor that holds windows; `functions` and `rules` say how
operations treat it, with `views`, `sliding` and `sums` for kinds of operations.
"""
