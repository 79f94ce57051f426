# Everything that is done to KamaChat. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ADDR    ?= 127.0.0.1:8000
DATA    ?= data
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

WASM     := GOOS=js GOARCH=wasm
WASM_SRC := $(shell find ui shared -name '*.go' ! -name '*_test.go' 2>/dev/null) go.mod go.sum
TEMPL    := $(shell find . -name '*.templ' -not -path './.git/*')
DRAWN    := $(TEMPL:.templ=_templ.go)
# Packages whose tests also run as WebAssembly, under node.
JS_TESTS := ./shared/... ./ui/state/...
# node's argument space is small: the tests get a short environment.
JS_EXEC  := env -i PATH="$(PATH)" HOME="$(HOME)" $(shell go env GOROOT)/lib/wasm/go_js_wasm_exec
E2E      := go test -count=1 -timeout 12m ./e2e
LDFLAGS  := -X main.version=$(VERSION)

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# --- build ---

.PHONY: build
build: wasm icons generate ## bin/kamachat, with the browser's program in it
	go build -ldflags '$(LDFLAGS)' -o bin/kamachat ./server

.PHONY: run
run: build ## build, then serve on ADDR (127.0.0.1:8000) with data in DATA (./data)
	@mkdir -p "$(DATA)"
	exec bin/kamachat --addr "$(ADDR)" --data "$(DATA)"

.PHONY: wasm
wasm: static/app.wasm.br ## the browser's program, compressed quickly

bin/app.wasm: $(WASM_SRC) $(wildcard tools/slim/*.go tools/slim/http/*.go)
	@mkdir -p bin
	go run ./tools/slim
	$(WASM) go build -overlay bin/slim.json -trimpath -ldflags='-s -w' -o $@ ./ui

static/app.wasm.br: bin/app.wasm
	go run ./tools/pack -quality fast

.PHONY: icons
icons: static/icons/app-192.png ## the logo as home screens want it

static/icons/app-192.png: static/favicon.svg $(wildcard tools/icons/*.go)
	go run ./tools/icons

.PHONY: generate
generate: $(DRAWN) ## draw *_templ.go from *.templ, where older

# A checkout writes x.templ before x_templ.go, so a fresh clone runs nothing here.
%_templ.go: %.templ
	go tool templ generate -f $<

.PHONY: release
release: generate icons bin/app.wasm ## bin/kamachat for others: stripped, smallest wasm
	go run ./tools/pack -quality best
	go test -count=1 -run '^TestWasmSize$$' .
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/kamachat ./server
	@ls -l bin/kamachat

.PHONY: clean
clean: ## remove what was built (not the data)
	rm -rf bin static/app.wasm.br static/app.wasm.gz static/wasm_exec.js static/icons

# --- test ---

# The tests in Chromium mostly wait, as those of whole servers do: they run beside each other.
.PHONY: test
test: ## vet, the house's rules, all tests, also as WebAssembly and in Chromium
	@failed=; try() { echo "$$*"; "$$@" || failed="$$failed, $$*"; }; \
	try $(MAKE) build; \
	try go vet ./...; \
	echo "$(E2E), meanwhile"; $(E2E) >bin/e2e.log 2>&1 & chromium=$$!; \
	try go test -timeout 10m $$(go list ./... | grep -v '/e2e$$'); \
	try $(MAKE) test-js; \
	wait $$chromium || failed="$$failed, $(E2E)"; cat bin/e2e.log; \
	[ -z "$$failed" ] || { echo "FAILED: $${failed#, }"; exit 1; }

.PHONY: test-js
test-js: ## the tests of shared and ui/state as WebAssembly, under node
	@if command -v node >/dev/null; then \
	  set -x; $(WASM) go test -exec '$(JS_EXEC)' $(JS_TESTS); \
	else \
	  echo "SKIP: the WebAssembly tests need node (tools/services.sh installs it)"; \
	  [ "$${KAMACHAT_REQUIRE:-}" != all ]; \
	fi

.PHONY: e2e
e2e: build ## the tests in Chromium
	$(E2E)

.PHONY: shots
shots: build ## pictures of every page, on a phone and a desk, light and dark, both languages, in SHOTS (bin/shots)
	@mkdir -p '$(or $(SHOTS),bin/shots)'
	KAMACHAT_REQUIRE=all KAMACHAT_SHOTS='$(abspath $(or $(SHOTS),bin/shots))' go test -count=1 -timeout 12m -run '^TestEveryPageHolds$$' ./e2e

.PHONY: check
check: build ## what a change must pass: format, vet, staticcheck, race, fuzz, vulnerabilities
	@tools/check.sh

.PHONY: lint
lint: build ## format, vet, staticcheck
	@tools/check.sh lint

.PHONY: race
race: build ## the concurrent core with the race detector
	go test -race ./server/room/... ./server/session ./server/inproc ./ui/link ./ui/local

.PHONY: faults
faults: ## kill, starve and stop things under load, as often as docs/performance.md says
	KAMACHAT_REQUIRE=all KAMACHAT_KILLS_SQLITE=50 KAMACHAT_KILLS_MARIADB=20 KAMACHAT_OUTAGES=5 KAMACHAT_CROWD=400 \
	  go test -count=1 -v -timeout 20m -run 'UnderLoad|FullDisk' ./server

.PHONY: cluster-test
cluster-test: ## three nodes, three Kafka brokers, MariaDB and Redis under load while each breaks in turn; prints a table
	KAMACHAT_REQUIRE=all KAMACHAT_CLUSTER_PEOPLE=60 KAMACHAT_CLUSTER_RATE=200 KAMACHAT_CLUSTER_BROKERS=3 KAMACHAT_CLUSTER_SECONDS=60 \
	  go test -count=1 -v -timeout 20m -run '^(TestClusterUnderFaults|TestRollingRestart|TestSeedsClientsChatAcrossNodes|TestChannelBecomesKafkaByARestart)$$' ./server

.PHONY: proxy-test
proxy-test: ## nginx with the files of deploy/ in front of three real nodes: silent sockets, a drain
	KAMACHAT_PROXY=1 KAMACHAT_REQUIRE=all go test -count=1 -v -run Nginx ./deploy

.PHONY: sim
sim: ## everything in one process under faults: SEEDS=1000 of them, or SEED=n alone, printed
	go test -count=1 -timeout 0 $(if $(SEED),-v) -run '^TestSimulation$$' ./server/sim -args -seeds '$(or $(SEEDS),1000)' -seed '$(or $(SEED),0)' -first '$(or $(FIRST),1)'

.PHONY: bench
bench: build ## the server's figures (docs/performance.md), on this machine; DB=mariadb for that
	tools/bench.sh

.PHONY: bench-modes
bench-modes: ## what Kafka mode costs and what each node adds (docs/performance.md)
	KAMACHAT_REQUIRE=all KAMACHAT_BENCH=1 go test -count=1 -v -timeout 30m -run '^TestPaceOfModes$$' ./server

.PHONY: soak
soak: build ## the server under load for SOAK (1h): memory, files, goroutines
	tools/bench.sh soak

.PHONY: bench-ui
bench-ui: build ## the browser's figures of the README, in Chromium
	KAMACHAT_BENCH=1 go test -count=1 -v -run '^TestPace' ./e2e
