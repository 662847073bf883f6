# The same without make: python3 tools/bootstrap.py demo|test|setup|check
PYTHON ?= python3

.PHONY: help demo test setup check

help:
	@$(PYTHON) tools/bootstrap.py --help

# the main job on real data: check, split, train, evaluate, explain, report
demo:
	@$(PYTHON) tools/bootstrap.py demo

# the whole test suite
test:
	@$(PYTHON) tools/bootstrap.py test

# everything needed to use and develop bioloom
setup:
	@$(PYTHON) tools/bootstrap.py setup

# formatting, lint, types, layers
check:
	@$(PYTHON) tools/bootstrap.py check
