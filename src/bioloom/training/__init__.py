"""The only training loop.

job         Job: what a training is told; Epoch, Fitted: what comes out of it
loop        fit: epochs, early stopping, resuming
plan        what the recipe leaves open: batch size, epochs, learning rate, number format
optimiser   AdamW and an average of the weights, as a few operations on one long tensor
schedule    the learning rate along the run
checkpoint  one file from which a killed run goes on
device      processor or graphics card, threads, number format
"""
