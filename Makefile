PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# In no extra: its builds ask for a torch of their own, and what is compared needs none of what they compile.
TORCHVISION := 0.28.0

.PHONY: demo test check bench docs clean

demo: $(STAMP)
	$(BIN)/vicinal compare digits --out vicinal-out

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.policies
	$(BIN)/python -m benchmarks.operations
	$(BIN)/python -m benchmarks.loader
	$(BIN)/python -m benchmarks.noisy_mnist

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --no-deps torchvision==$(TORCHVISION) || \
		echo "torchvision $(TORCHVISION) could not be installed: the tests that compare with it say so and are skipped"
	touch $@

$(VENV)/.bench: $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,bench]'
	touch $@

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,docs]'
	touch $@

clean:
	rm -rf $(VENV) site vicinal-out
