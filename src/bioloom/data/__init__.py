"""Labelled data from files to records, and from records to a split.

readers     files of every format -> Table
records     Table -> Records, and Problem: what is wrong with which rows
similarity  which sequences are copies or near copies of each other
split       Records -> Split, with the reason
leakage     what stands on both sides of a split
datasets    the data sets that come with bioloom
"""
