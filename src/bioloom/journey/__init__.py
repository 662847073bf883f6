"""The stages of the journey, in the order in which `workflow` walks them.

prepare    what is asked for -> records (roles: what each column is for)
folder     the run folder: new, resumed or finished
division   records -> split, and what stands on both sides of it
learnable  split records -> encoded inputs, numbers for labels, the training job
judge      a trained network -> what its score is worth
explained  predictions -> what moves them, stored and drawn
result     everything found -> result.json and the tables beside it
checked    a file -> what is in it
predicted  a file -> predictions, row for row
described  records -> the numbers by which a model describes them
everywhere what differs where a target stands at every position or pixel
pretraining learning without labels first, and what was kept away from it
denoise    counts of single cells -> restored counts
writing    a language model -> new texts or sequences
sites      where motifs stand in a file; motifs: what else is done with motif files
clock      how long each stage took
"""
