"""What is asked of a trained sequence model, beyond predictions and explanations.

model       a model of one sequence, ready to be asked
experiment  motifs, stretches, distances and pairs of positions are tried on it
variants    alleles, mutations and all substitutions are judged
discovered  the motifs that it uses are found
designed    new sequences are made with it
"""
