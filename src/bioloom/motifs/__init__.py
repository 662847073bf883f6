"""What is known about short patterns in sequences.

pwm           from aligned sites to a position weight matrix, and its score along a sequence
motif         a motif: its probabilities, weights, information and logo
formats       motif files, read and written; matrices: from their rows to numbers; database: JASPAR on this machine
background    the letters that sites are compared with; significance: how probable a score is by chance
scan          sites in sequences; words: where they may begin; hits: as tables and files; stretches: what is looked at
compare       which motifs are alike, and of one kind
enrichment    which stand more often in some sequences than in others
seqlets       stretches that matter to a model; discover: the motifs that they make
plant         sequences in which motifs lie where they are told to
"""
