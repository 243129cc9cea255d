# ft_local. `make help` lists what there is; CONTRIBUTING.md says how it fits together.
#
#   make PYTHON=/usr/bin/python3.11 demo     another ordinary Python than python3

.DEFAULT_GOAL := build
.PHONY: help build demo bench benchmarks test test-long test-all hosts soak setup free-threaded \
	python header format install uninstall clean

PREFIX ?= /usr/local

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | \
		awk -F '|' '{ printf "%-22s%s\n", $$1, $$2 }'

build: ## Build the library, shared and static, into target/release
	@tools/setup
	cargo build --release --lib --locked
	@echo "Built target/release/libft_local.so and libft_local.a; the header is include/ft_local.h."
	@echo "Next: make demo, make test, make help."

demo: ## Hand out real GUIDs to many threads, and compare with other ways
	@tools/demo $(DEMO_ARGS)

bench: ## Measure against the goals in docs/performance.md, and draw the figure; leave the machine alone
	@tools/setup
	@tools/bench $(BENCH_ARGS)

test: ## Check and test everything that this machine can, in about four minutes
	@tools/setup
	@tools/check

test-long: ## What takes long: sanitizers, valgrind, hosts, packaging, ft_utils' own tests, stress
	@tools/setup --all
	@tools/check --long

test-all: ## Both, in one go; builds a free-threaded Python if there is none
	@tools/setup --all
	@tools/check --all

soak: ## The same proofs with much larger counts, which takes hours
	@tools/setup --all
	@tools/check --soak

hosts: ## Install the runtimes of all hosts, and test each: hosts/README.md
	@tools/setup --hosts
	@tools/check 'host-*'

benchmarks: ## LocalWrapper against the other proxies, which are installed into build/
	@tools/setup
	@tools/benchmarks

setup: ## Install what the distribution must give, or say what to install
	@tools/setup

free-threaded: ## Build a free-threaded Python into the cache, once, for the tests and the demo
	@tools/setup --all
	@tools/free-threaded-python

python: ## Install ft_local into build/venv-<tag> and print that environment's interpreter
	@tools/setup
	@tools/install "$$(tools/interpreters --ordinary)"

header: ## Write include/ft_local.h anew from src/capi
	@tools/header

format: ## Format Rust, C, C++ and Python
	@tools/format

install: ## Install library, header, pkg-config and CMake files under PREFIX (/usr/local)
	@packaging/install "$(PREFIX)"

uninstall: ## Remove it from there
	@packaging/install --uninstall "$(PREFIX)"

clean: ## Remove all that was built here; the free-threaded Python stays in its cache
	rm -rf target build
