"""Labelled data from files to records, and from records to a split.

readers     files of every format -> Table; reading: what the formats share
columns     what a column holds: numbers, classes, dates, text
records     Table -> Records, and Problem: what is wrong with which rows
similarity  which sequences are copies or near copies of each other
library     variants of one parent, their mutations and distances
split       what a division is; splitters: the methods; deal, exchange: whole units, labels balanced
choose      Records -> Split, with the reason
folds       cross-validation: each record tested once
leakage     what stands on both sides of a split
datasets    the data sets that come with bioloom; simulate: data with known truth
assets      files that cells name: places, stores and archives where they lie; pictures, masks, profiles: what they hold
positions   targets with a value at every position
genome      pieces of a genome by their place; variants: alleles and mutations
"""
