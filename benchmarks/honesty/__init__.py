"""Is what a run says about itself true? Coverage by simulation, shuffled labels, planted leaks, poisoned tests."""
