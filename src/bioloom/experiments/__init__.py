"""Experiments in silico: what a trained sequence model says when sequences are changed on purpose.

marginalise  a motif put into sequences that mean nothing: what it does by itself
ablate       a stretch shuffled away: what it did
space        two motifs at growing distances, either way round
epistasis    two motifs together, less what each does alone
tile         window after window shuffled: which stretches matter
swap         a stretch taken from other sequences: what it brings along
dependency   pairs of positions: whose effect depends on whom

All take the same first arguments, a function that answers for sequences and the sequences, and return a table of
effects with a 95 % interval over the sequences. An effect is a difference in the model's own unit.
The style of one signature for all follows tangermeme; the methods are cited where they are.
"""
