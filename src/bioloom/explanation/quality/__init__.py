"""How good maps of attributions are: measured by the network itself, by repeats, and where the truth is known."""
