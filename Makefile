# 모든 명령은 .venv가 없으면 먼저 만듭니다.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: site serve test lab notebooks bench clean

$(BIN)/ready: constraints.txt settings.ini setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[nb,dev]"
	# smalldocs는 Python 3.11부터라고 적혀 있지만 3.10에서도 그대로 돕니다.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --ignore-requires-python smalldocs
	touch $@

site: $(BIN)/ready
	$(BIN)/python -m blog.build

serve: $(BIN)/ready
	$(BIN)/python -m blog.serve

test: $(BIN)/ready
	# 코어 둘에 나누어 돌립니다. 토치가 저마다 코어를 모두 쓰려 들면 서로 느려집니다.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet -n 2 --dist worksteal

lab: $(BIN)/ready
	$(BIN)/jupyter lab nbs

notebooks: $(BIN)/ready
	$(BIN)/python -m blog.notebooks
	$(BIN)/nbdev_export

bench: $(BIN)/ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv _docs _docs.* _proc build dist *.egg-info .pytest_cache .hypothesis screenshots blog/node_modules blog/.runtime nbs/nbdev.yml
