"""New sequences to make next: proposed by a model, kept within rules, and doubted before they are ordered.

rules       what a sequence must and must not be, and which rule cannot be kept
goals       what is to be raised, lowered or brought to a value, by one model or several
methods     ways to propose: screening, beam search, simulated annealing, a genetic algorithm, the slope of a network
choose      which proposals to make: good, unlike each other, and worth knowing
barcodes    short words that stay apart in spite of errors
rounds      rounds of design, measurement and learning on a known truth
pool        a list of oligos that can be ordered, with primers, barcodes and controls
"""
