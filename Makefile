# haul's commands. `make help` lists them; README.md says what for.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SWIFT   ?= swift
# Where SwiftPM builds.
SCRATCH ?= .build
# Where `make install` puts things; DESTDIR goes in front, for packages.
PREFIX  ?= /usr/local
DESTDIR ?=
# The workers of a playground.
WORKERS ?= 1
SEEDS ?= 1-200
SECONDS ?= 600

PROGRAMS := hauld haul-worker haul haul-bench haul-playground haul-local haul-ssh haul-http haul-gridftp haul-gsi haul-s3 \
    haul-xrootd haul-rclone haul-fake
RELEASE  := $(SCRATCH)/release
# A worker node has no Swift: its runtime goes into the programs.
BUILD    := $(SWIFT) build --scratch-path $(SCRATCH)

# Debian packages. Libraries: the database, the HTTP client and server, random and hashes, checksums, X.509 proxies; libxml2
# is what Foundation's XML is linked with where Swift's runtime goes into the programs.
LIBRARIES := libsqlite3-dev libpq-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libsodium-dev libssl-dev libxml2-dev \
    libglobus-gssapi-gsi-dev
# What backends shell out to (ssh, xrdcp, rclone), what asks servers for tests and measurements (curl), and the servers that
# demo, playground and tests run; PostgreSQL for several hauld.
SERVERS   := openssh-client openssh-server curl apache2 nginx-extras postgresql \
    xrootd-client xrootd-client-plugins xrootd-server xrootd-server-plugins xrootd-plugins rclone globus-gridftp-server-progs
# What tests need besides: openssl makes their certificates, python3 plays servers that lie, zsh and fish try their
# completions; ip of iproute2 makes the network that Chaos cuts, faketime clocks that are wrong.
# grid-proxy-init of globus-proxy-utils makes proxies, a MyProxy server hands them out. stilts validates the UWS face.
# slurm-wlm is a cluster of one node, on which workers are launched.
TESTTOOLS := openssl python3 python3-venv zsh fish iproute2 faketime globus-proxy-utils myproxy myproxy-server stilts slurm-wlm
PACKAGES  := $(LIBRARIES) $(SERVERS) $(TESTTOOLS)
# What `make bench-data` measures against besides: globus-url-copy.
BENCHTOOLS := globus-gass-copy-progs

# For tests, in a Python environment below the build folder: all of it by its version, with what it needs itself.
PYPI := Tests/requirements.txt
VENV := $(SCRATCH)/venv/made-$(shell cksum < $(PYPI) | tr -d ' ')

.PHONY: help setup venv build demo playground needs-dir test conformance simulate chaos fuzz lint format bench bench-postgresql bench-steady bench-data install clean

## help: this list
help:
	@echo "haul: a file-transfer work queue. Targets:"
	@sed -nE 's/^## ([^:]*): /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-28s %s\n", $$1, $$2}'
	@echo
	@echo "SWIFT=, SCRATCH= and (for install) DESTDIR= choose another compiler, build folder and root."

## setup: install the Debian packages that are missing, if any (apt-get, as root or with sudo)
# What apt starts by itself on a machine with systemd (apache2, nginx, ssh) is kept from starting: haul runs its own,
# on ports of its own. What already runs is left alone.
setup:
	@missing=(); for package in $(PACKAGES); do \
	    [[ "$$(dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null)" == installed ]] || missing+=("$$package"); \
	done; \
	if (( $${#missing[@]} == 0 )); then echo "setup: all $(words $(PACKAGES)) Debian packages are installed"; \
	else \
	    sudo=(); (( EUID == 0 )) || sudo=(sudo); \
	    echo "setup: these Debian packages are missing; their servers are installed, not started:"; \
	    echo "    $${sudo[*]} apt-get update && $${sudo[*]} apt-get install --no-install-recommends $${missing[*]}"; \
	    policy=/usr/sbin/policy-rc.d; \
	    if [[ ! -e $$policy ]]; then \
	        printf '#!/bin/sh\nexit 101\n' | "$${sudo[@]}" tee $$policy >/dev/null; \
	        "$${sudo[@]}" chmod 755 $$policy; trap '"$${sudo[@]}" rm -f '$$policy EXIT; \
	    fi; \
	    "$${sudo[@]}" apt-get update -q; \
	    "$${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$${missing[@]}"; \
	fi
	@command -v $(SWIFT) >/dev/null || { echo "setup: no Swift toolchain in PATH (6.2 or later): https://www.swift.org/install/linux/"; exit 1; }

## venv: make the Python environment of what tests run, where it is missing (PyPI)
venv: $(VENV)
$(VENV):
	python3 -m venv --clear $(SCRATCH)/venv
	$(SCRATCH)/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $(PYPI)
	touch $@

## build: build every program in release, without a need for Swift where they run
build:
	$(BUILD) -c release --static-swift-stdlib -Xswiftc -use-ld=lld
	@for program in $(PROGRAMS); do \
	    if ldd $(RELEASE)/$$program | grep -q libswift; then echo "build: $$program needs Swift's libraries"; exit 1; fi; \
	done

## demo: show what haul does on real servers, checked byte by byte; installs and builds what is missing
demo: setup venv build
	@$(RELEASE)/haul-playground demo

## playground DIR= [WORKERS=]: run the same servers until Ctrl-C; DIR/playground.json says where
playground: needs-dir setup venv build
	@exec $(RELEASE)/haul-playground run --dir "$(DIR)" --workers "$(WORKERS)"

needs-dir:
	@if [[ -z "$(DIR)" ]]; then echo "playground: say where: make playground DIR=/tmp/play"; exit 2; fi

## test: every test, with real servers, but for what `make conformance` adds
# One group after the other: each measures times and starts servers, and would disturb the next. `make lint` finds a
# group that is missing here.
TESTS := 'HaulModelTests|HaulConfigTests|HaulProcessTests|HaulCryptoTests|HaulAuthTests|HaulStoreTests|HaulEngineTests|HaulAPITests|HaulCLITests' HaulLogsTests HaulHTTPTests \
    HaulProtocolTests HaulWorkerTests Integration LocalBackendTests SSHBackendTests HTTPBackendTests GridFTPBackendTests \
    S3BackendTests XRootDBackendTests RcloneBackendTests Fuzz ProtocolConformance Simulation Chaos
# Those that touch a database run once more over PostgreSQL, but for what is about SQLite's own file, runs over
# PostgreSQL anyway, or has nothing to do with the database.
OVER_POSTGRESQL := 'HaulStoreTests|HaulEngineTests' Integration Simulation
ONCE := (FullDisk|StartFailure|DatabaseFault|ControlRace)Tests|AccessTests/tokensAtRest|noticesAFault|(SharedDatabase|PostgresFault|WrongClock|Postgres|Framing|TLS|StrangersBody|CommandLine|BenchProgram|Stack|SlurmLaunch)Tests
# What `make conformance` adds: the same suites over a second kind of login or server, which takes minutes.
LONG := (GridFTPConformance/gsi|RcloneConformance/webDAV)
# How many tests of a group run at once. All at once is what swift test does by itself: a hundred servers then start in
# the same seconds, on two cores nobody is served in time, and PostgreSQL runs out of connections. Fewer take no longer.
WIDTH ?= 8
# Of a log: how the run ended, and what failed, each with the lines below that say why; a crash in its own words.
FAILURES := /^✘/ {on = 1; print; next} /^(◇|✔|➜)/ {on = 0} \
    on || /^(◇|✔) Test run|^➜|NOT TESTED|Fatal error|^\*\*\* |^error: |unexpected signal/
# The same once more in one line each, at the end of all.
MISHAPS := ^✘ .*(recorded an issue|Time limit)|Fatal error|^error: |unexpected signal
test: setup venv
	$(BUILD) --build-tests
	@rm -f $(SCRATCH)/test-*.log
	@if $(SWIFT) test --help-hidden | grep -e --experimental-maximum-parallelization-width > /dev/null; then \
	    width=(--experimental-maximum-parallelization-width $(WIDTH)); \
	else width=(); echo "test: this Swift (before 6.3) starts all tests of a group at once"; fi; \
	run() { \
	    echo "--- $$1$${2:+ ($$2)}"; \
	    log=$(SCRATCH)/test-$${1%%|*}$${2:+-$$2}.log; \
	    $(SWIFT) test --scratch-path $(SCRATCH) --skip-build "$${width[@]}" --filter "^($$1)\." "$${@:3}" > $$log 2>&1 \
	        || { failed+=" $$1$${2:+ ($$2)}"; echo "(all that was said: $$log)"; }; \
	    awk '$(FAILURES)' $$log; \
	    grep -qE '^(✔|✘) Test run' $$log || tail -n 20 $$log; \
	}; \
	for group in $(TESTS); do run "$$group" "" --skip '$(LONG)'; done; \
	export HAUL_TEST_STORE=postgresql HAUL_SEEDS=1-4; \
	for group in $(OVER_POSTGRESQL); do run "$$group" PostgreSQL --skip '$(ONCE)'; done; \
	if [[ -n "$${failed:-}" ]]; then \
	    grep -hE '$(MISHAPS)' $(SCRATCH)/test-*.log | cut -c -400 | sed -n 1,20p; echo "test: failed in:$$failed"; exit 1; \
	fi

## conformance: the conformance suite over every protocol, GridFTP with X.509 proxies and rclone's WebDAV included
conformance: setup venv
	$(BUILD) --build-tests
	$(SWIFT) test --scratch-path $(SCRATCH) --skip-build --filter '^ProtocolConformance\.'

## simulate [SEEDS=]: the engine in worlds that go wrong, a world a seed (1-200); a seed that fails does so again
simulate: setup
	$(BUILD) --build-tests
	HAUL_SEEDS="$(SEEDS)" $(SWIFT) test --scratch-path $(SCRATCH) --skip-build --filter '^Simulation\..*nothingIsLost'

## chaos [SECONDS=] [SEED=]: real servers and workers, killed, stopped and filled up for so long (600 s)
chaos: setup
	$(BUILD) --build-tests
	HAUL_CHAOS_SECONDS="$(SECONDS)" $(if $(SEED),HAUL_CHAOS_SEED="$(SEED)") \
	    $(SWIFT) test --scratch-path $(SCRATCH) --skip-build --filter '^Chaos\..*everything'

## fuzz [SECONDS=] [PARSERS=]: libFuzzer over each parser of what comes from outside, 60 s each, two at a time
# What it finds worth keeping goes to Tests/Fuzz/Corpus, which `make test` reads; what it crashes on, to $(FUZZER)/crashes.
# KEEP=0 leaves the corpus as it is.
FUZZER := $(SCRATCH)/fuzz
fuzz: SECONDS = 60
fuzz: setup
	@# SwiftPM does not find its own description of this build again: it makes a new one.
	@rm -f $(FUZZER)/build.db $(FUZZER)/*.yaml
	HAUL_FUZZ=1 $(SWIFT) build --scratch-path $(FUZZER) --product haul-fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -O \
	    -Xswiftc -use-ld=lld -Xlinker --allow-multiple-definition
	@printf '%s\n' $(or $(PARSERS),$$($(FUZZER)/debug/haul-fuzz --names)) \
	    | KEEP="$(KEEP)" xargs -P 2 -n 1 Tests/Fuzz/fuzz $(FUZZER) $(SECONDS) \
	    || { echo "fuzz: found something: see $(FUZZER)/crashes"; exit 1; }

## lint: the format of every Swift file, who may import whom, and that `make test` runs every group
lint:
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests protocols
	@mkdir -p $(SCRATCH)
	$(SWIFT) package --scratch-path $(SCRATCH) dump-package > $(SCRATCH)/package.json
	$(BUILD) --product haul-layout
	$(SCRATCH)/debug/haul-layout $(SCRATCH)/package.json README.md $(TESTS)

## format: write every Swift file as lint wants it
format:
	$(SWIFT) format format --in-place --parallel --recursive Package.swift Sources Tests protocols

## bench: README's figures but for the steady load, each against a server of its own
bench: BENCHES = register 'register --batch 1000 --jobs 200000 --connections 8' dispatch 'dispatch --waiting 1000000' \
    latency list 'list --entries 1000000' start
## bench-postgresql: those of a registration and of hand-outs, over a PostgreSQL server of their own
bench-postgresql: BENCHES = register dispatch
bench-postgresql: STORE = --postgresql
## bench-steady: ten minutes of steady load; is memory flat?
bench-steady: BENCHES = 'steady --seconds 600'
bench bench-postgresql bench-steady: setup build
	@for what in $(BENCHES); do \
	    worker='--worker-token-file "$$HAUL_WORKER_TOKEN_FILE"'; [[ $$what != register* ]] || worker=; \
	    [[ $$what =~ ^(register|dispatch|latency) ]] || worker+=' --playground "$$HAUL_PLAYGROUND"'; \
	    echo "haul-bench $$what"; \
	    $(RELEASE)/haul-playground with --workers 0 $(STORE) -- $(SHELL) -c \
	        "exec haul-bench $$what $$worker"' --url "$$HAUL_URL" --token-file "$$HAUL_TOKEN_FILE" --site fake-a'; \
	    echo; \
	done

## bench-data: copies on real servers beside the bare tools: many small files, one large one, and from protocol to protocol
SMALL := --entries 10000 --size 4096 --rounds 3
LARGE := --entries 1 --size 4294967296 --rounds 5
COPIES ?= 'ssh-a ssh-b $(SMALL)' 'http-a http-b $(SMALL)' 'gridftp-a gridftp-b $(SMALL)' 'local-a local-a $(SMALL)' \
    'ssh-a ssh-b $(LARGE)' 'http-a http-b $(LARGE)' 'gridftp-a gridftp-b $(LARGE)' 'local-a local-a $(LARGE)' \
    'ssh-a http-a $(LARGE)' 'http-a gridftp-a $(LARGE)' 'gridftp-a ssh-b $(LARGE)' 'local-a ssh-a $(LARGE)'
bench-data: PACKAGES += $(BENCHTOOLS)
bench-data: setup build
	@for what in $(COPIES); do \
	    read -r from to rest <<< "$$what"; \
	    $(RELEASE)/haul-playground with --workers 1 -- $(SHELL) -c "exec haul-bench data --from $$from --to $$to $$rest"' \
	        --url "$$HAUL_URL" --token-file "$$HAUL_TOKEN_FILE" --playground "$$HAUL_PLAYGROUND"'; \
	    echo; \
	done; \
	$(RELEASE)/haul-playground with --workers 1 -- $(SHELL) -c 'exec haul-bench worker --url "$$HAUL_URL" \
	    --token-file "$$HAUL_TOKEN_FILE" --playground "$$HAUL_PLAYGROUND" --site fake-a'

## install [PREFIX=]: programs to PREFIX/bin, protocols, config files and completions to PREFIX/share
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/haul/config
	for program in $(PROGRAMS); do install -m 755 $(RELEASE)/$$program $(DESTDIR)$(PREFIX)/bin/; done
	install -m 644 config/*.json5 $(DESTDIR)$(PREFIX)/share/haul/config/
	@# Wherever they are copied to, they name the protocols that were installed with them.
	sed -i 's|\.\./protocols}|$(abspath $(PREFIX))/share/haul/protocols}|' \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/haul/config/,hauld.json5 worker.json5)
	for file in protocols/*.json protocols/README.md protocols/*/protocol.json; do \
	    install -D -m 644 $$file $(DESTDIR)$(PREFIX)/share/haul/$$file; \
	done
	install -m 755 protocols/example-python/example.py $(DESTDIR)$(PREFIX)/share/haul/protocols/example-python/
	install -m 644 protocols/example-python/haul.py $(DESTDIR)$(PREFIX)/share/haul/protocols/example-python/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(RELEASE)/haul completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/haul
	$(RELEASE)/haul completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_haul
	$(RELEASE)/haul completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/haul.fish

## clean: remove what was built
clean:
	rm -rf $(SCRATCH)
