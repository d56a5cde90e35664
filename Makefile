# make report · make test · make test-full · make bench · make weights · make lines · make lab · make export · make lock ·
# make clean. Each sets up what it needs, once.
PARAMS ?= params/demo.yaml
# As one word of the shell, whatever the file is called.
FILE = '$(subst ','\'',$(PARAMS))'
CORES ?= $(or $(shell nproc 2>/dev/null),$(shell getconf _NPROCESSORS_ONLN 2>/dev/null),1)
TORCH ?= $(if $(wildcard .venv/.cpu),cpu,default)
UV_VERSION = 0.13.9

PYTHON := .venv/bin/python
# Hundreds of processes import lib/: its bytecode is kept, even if the shell asks Python to write none.
export PYTHONDONTWRITEBYTECODE =
# Packages of another Python are kept out.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP
UV := .tools/bin/uv
SETUP := .venv/.$(TORCH)

# OPTIONS=--dry-run: only the plan; OPTIONS=--keep-going: a failed split does not stop the others; more are Snakemake's.
report: $(SETUP)
	@$(PYTHON) -m lib.schedule --params=$(FILE) --cores $(CORES) $(OPTIONS)

# One test process more than cores: tests wait for browsers, servers and killed runs. In the order of tests/conftest.py.
test: $(SETUP)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n $(shell expr $(CORES) + 1) --dist loadscope --no-loadscope-reorder \
		--max-worker-restart=0 --durations=25

# What takes minutes or starts services of its own: all chapters with nets of full size, and a SLURM (Debian's slurmctld,
# slurmd, slurm-client, munge; with accounts also slurmdbd, mariadb-server-core, mariadb-client-core).
test-full: $(SETUP)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m full -rs -o faulthandler_timeout=3600 --durations=10

bench: $(SETUP)
	@missed=0; for name in asformer dtype features full_size narrated packs pretrain clusters; do \
		echo "== $$name"; $(PYTHON) -m tests.bench.bench_$$name || missed=1; done; exit $$missed

# The demo's trained backbones, from nothing: lib/demo/weights/; an hour or more.
weights: $(SETUP)
	OMP_NUM_THREADS=1 $(PYTHON) -m lib.weights

# Lines of Python by room, beside their limits.
lines: $(SETUP)
	@$(PYTHON) -m tests.lines

# JupyterLab on a start page with the state of each notebook; its own settings lie in .jupyter/.
lab: $(SETUP)
	@$(PYTHON) -m lib.lab --params=$(FILE) $(OPTIONS)

# What make report made, as one self-contained HTML file per section and one PDF (through a browser): outputs/<profile>/export/.
export: $(SETUP)
	@$(PYTHON) -m lib.export --params=$(FILE) $(OPTIONS)

$(UV):
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The locked set, hashes checked; then the project itself, so that notebooks find lib/ from any folder. Not compiled here:
# the first run compiles what it uses, and keeps that.
.venv/.default: requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 .venv
	$(UV) pip sync --quiet --python $(PYTHON) --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .
	@rm -f .venv/.cpu; touch $@

# A machine without a GPU: the same versions, torch from PyTorch's own CPU builds (0.2 GB instead of 3), hashes not checked.
.venv/.cpu: requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 .venv
	sed -nE 's/^([A-Za-z0-9._-]+==[^\\]*[^\\ ]).*$$/\1/p' requirements.lock | grep -vE '^(nvidia-|cuda-|triton==)' > .venv/requirements.cpu.txt
	$(UV) pip sync --quiet --python $(PYTHON) --torch-backend cpu .venv/requirements.cpu.txt
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .
	@rm -f .venv/.default; touch $@

lock: | $(UV)
	$(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11 --group dev pyproject.toml -o requirements.lock
	@echo 'now bring environment.yml to the same versions: tests/test_environment.py names what differs'

clean:
	rm -rf outputs/*/ outputs/start.md .jupyter .snakemake .pytest_cache .ruff_cache .hypothesis notebooks/*.ipynb

.PHONY: report test test-full bench weights lines lab export lock clean
