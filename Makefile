# ft_local. `make help` lists what there is; CONTRIBUTING.md says how it fits together.
#
#   make PYTHON=/usr/bin/python3.11 demo     another ordinary Python than python3

.DEFAULT_GOAL := build
.PHONY: help build demo bench benchmarks test test-long test-all test-lease docs coverage mutations hosts soak \
	bench-python setup free-threaded python header format install uninstall wheels deb cross \
	recipes release clean

PREFIX ?= /usr/local
# How many sessions may run at the same time.
JOBS ?= 2
SESSIONS = tools/nox -j $(JOBS) --tags

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | \
		awk -F '|' '{ printf "%-22s%s\n", $$1, $$2 }'

build: setup ## Build the library, shared and static, into target/release
	cargo build --release --lib --locked
	@echo "Built target/release/libft_local.so and libft_local.a; the header is include/ft_local.h."
	@echo "Next: make demo, make test, make help."

demo: setup ## Hand out real GUIDs to many threads, and compare with other ways
	@tools/nox -s demo -- $(DEMO_ARGS)

bench: setup ## Measure against the goals in docs/performance.md, and draw the figure; leave the machine alone
	@tools/nox -s bench -- $(BENCH_ARGS)

bench-python: setup ## Measure in Python what docs/performance.md begins with, and write it there
	@tools/nox -s bench-python -- $(BENCH_ARGS)

test: setup ## Check and test everything that this machine can, in about 15 minutes on 2 cores
	@$(SESSIONS) test

test-long: free-threaded ## What takes long: sanitizers, valgrind, hosts, packaging, ft_utils' own tests, stress
	@$(SESSIONS) long

test-all: free-threaded ## Both, in one go; builds a free-threaded Python if there is none
	@$(SESSIONS) test long

soak: free-threaded ## The same checks with iteration counts that run for hours
	@FT_LOCAL_SOAK=1 $(SESSIONS) soak

hosts: ## Install the runtimes of all hosts, and test each: hosts/README.md
	@tools/setup --hosts
	@$(SESSIONS) hosts

test-lease: ## Test leases on real Redis and PostgreSQL servers, which it starts and stops
	@tools/setup --all
	@tools/nox -s lease

docs: setup ## Build the documentation into build/site, and run every block of code in it
	@tools/nox -s docs

coverage: ## Which lines and branches the tests reach
	@tools/setup --all
	@tools/nox -s coverage

mutations: setup ## Which of the faults that cargo-mutants makes no test finds; an hour, and goes on if ended
	@tools/nox -s mutations

benchmarks: setup ## LocalWrapper against the other proxies, which are installed into build/
	@tools/nox -s benchmarks

setup: ## Install what the distribution must give, or say what to install
	@tools/setup

free-threaded: ## Build a free-threaded Python into the cache, once, for the tests and the demo
	@tools/setup --all
	@tools/free-threaded-python

python: setup ## Install ft_local into build/envs for each Python that is found
	@tools/nox --tags install

header: ## Write include/ft_local.h anew from the sources
	@tools/header

format: setup ## Format Rust, C, C++ and Python
	@tools/nox -s format

install: ## Install library, header, pkg-config and CMake files under PREFIX (/usr/local)
	@packaging/install "$(PREFIX)"

uninstall: ## Remove it from there
	@packaging/install --uninstall "$(PREFIX)"

wheels: ## Build a wheel for each Python into dist/, for glibc 2.17 and later, and check them
	@tools/setup
	@packaging/wheels --twice

deb: ## Build the Debian packages; packaging/deb --try also installs, uses and removes them (root)
	@packaging/deb

cross: ## Compile for other systems, and test for aarch64 in an emulator; says what it needs
	@packaging/cross --test

recipes: ## Build and use the library by conan, vcpkg and cargo-c, as far as they are there
	@packaging/check-recipes

release: ## Make what a release consists of, with checksums and a list of parts; needs a clean tree
	@packaging/release

clean: ## Remove all that was built here; the free-threaded Python stays in its cache
	rm -rf target build
