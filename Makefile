# 모든 명령은 .venv에 필요한 것이 없으면 먼저 설치합니다. 뒤에 붙일 것은 ARGS에 적습니다: make lab ARGS="--port 9999"
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: site serve test lab notebooks bench clean

.venv/site .venv/test .venv/lab: constraints.txt settings.ini
	@$(PYTHON) -m blog.install $(@F)

site: .venv/site
	@$(BIN)/python -m blog.build $(ARGS)

serve: .venv/site
	@$(BIN)/python -m blog.serve $(ARGS)

test: .venv/test
	# 코어 둘에 나누어 돌립니다. 토치가 저마다 코어를 모두 쓰려 들면 서로 느려집니다.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet -n 2 --dist worksteal $(ARGS)

lab: .venv/lab
	$(BIN)/python -m jupyterlab nbs $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

notebooks: .venv/test
	$(BIN)/python -m blog.notebooks $(ARGS)
	$(BIN)/nbdev_export

bench: .venv/test
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv _docs _docs.* _proc build dist *.egg-info .pytest_cache .hypothesis screenshots blog/node_modules blog/.runtime nbs/nbdev.yml
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
