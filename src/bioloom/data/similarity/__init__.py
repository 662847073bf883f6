"""Which records are copies or near copies of each other.

copies   exact copies, also after reverse complement
contained  sequences that lie inside longer ones
letters  sequences as numbers, packed to compare 32 letters in one step
notion   what counts as a near copy
seeds    spaced seeds: where two records may be alike
verify   the stretch without gaps that they share
gapped   the alignment with short gaps that they share
search   seeds, sieve, verification: one search
pairs    near copies found, and the families they link
near     near_pairs, clusters, neighbours: what other layers call
closest  how alike the most alike record is, however little
rows     near copies among the rows of a table
mmseqs   MMseqs2 in place of our search, where it is asked for
several  records of several sequences
across   the most alike record on the other side of a split
"""
