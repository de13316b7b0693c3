# Needs Go, make and git. `make` lists the targets.

MODULES  := . $(patsubst %/go.mod,%,$(wildcard internal/contract/go.mod e2e/load/go.mod internal/page/browsertest/go.mod))
TOOL     := go tool -modfile=$(CURDIR)/tools/go.mod
VERSION   = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
BENCH    ?= .
COVERAGE ?= 90
ENV      ?= default
STACK    ?= $(if $(filter default,$(ENV)),thalas,thalas-$(ENV))

# The flags of the deployed functions: a package is compiled once for the tests and for the programs that they build.
# GOGC makes the compiler collect its garbage less often, a sixth less processor time. make lint vets the packages.
PLAIN := export CGO_ENABLED=0 GOGC=400 GOFLAGS="$$(go env GOFLAGS) -trimpath -tags=lambda.norpc,grpcnotrace"

# The contract module compares shapes: the vendors' SDKs, which are large, are compiled without optimizing, which
# takes half the time.
WITH_SDKS := export CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath -tags=lambda.norpc,grpcnotrace \
	'-gcflags=github.com/anthropics/...=-N -l' '-gcflags=github.com/openai/...=-N -l'"

# The tests of these packages run the go command, so go test can't know what they depend on. Their results are never
# taken from its cache.
AGAIN := ^thalas/(e2e|internal/(importtest|linked))(/|$$)

.DEFAULT_GOAL := help
.PHONY: help run build image-files test test-race test-contract test-load test-page page-libraries schemathesis aws-servers e2e e2e-sam e2e-container local test-template test-freqtrade deploy lint vuln sbom licences fuzz bench bench-lambda chaos cover

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on this machine, ask one question about a real daily series, show what became of earlier ones, stay up; simulated providers where no key is configured
	GROK_ENABLED=$${GROK_ENABLED:-true} go run ./cmd/thalas demo SPX/USD --timeframe 1d --candles examples/sp500-daily.csv --simulate auto --data-file .demo/thalas.db

build: ## bin/thalas
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/thalas ./cmd/thalas

# sam build calls these targets (BuildMethod makefile in template.yaml). GOARCH is the
# template's Architecture. grpcnotrace leaves out half a megabyte of debugging pages that the X-Ray SDK imports.
.PHONY: build-ConsensusFunction build-ConsensusReadFunction build-ScheduledConsensusFunction build-HealthFunction
build-HealthFunction: FOLDER := health
build-ConsensusFunction build-ConsensusReadFunction build-ScheduledConsensusFunction build-HealthFunction:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(or $(GOARCH),arm64) go build -tags lambda.norpc,grpcnotrace -trimpath \
		-ldflags "-s -w -X main.version=$(VERSION)" -o $(ARTIFACTS_DIR)/bootstrap ./functions/$(or $(FOLDER),consensus)

# The Dockerfile calls it too. The certificates are those of the machine or the image that it is made on.
CERTIFICATES ?= /etc/ssl/certs/ca-certificates.crt
image-files: ## dist/image: the files of the container's image, which are for Linux and this machine's processor (GOARCH=another)
	rm -rf dist/image && mkdir -p dist/image/data dist/image/root/usr/local/bin dist/image/root/etc/ssl/certs dist/image/root/licences
	CGO_ENABLED=0 GOOS=linux go build -tags lambda.norpc,grpcnotrace -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o dist/image/root/usr/local/bin/thalas ./cmd/thalas
	cp $(CERTIFICATES) dist/image/root/etc/ssl/certs/ca-certificates.crt
	cp LICENSE dist/image/root/licences/ && env -u GOOS -u GOARCH go run ./internal/linked licences >dist/image/root/licences/THIRD_PARTY_LICENCES

# The time of e2e includes building the programs, which is long while nothing is compiled yet.
test: ## all tests of the product; what has not changed is not tested again
	@set -e; $(PLAIN); packages="$$(go list ./...)"; \
	rest="$$(echo "$$packages" | grep -Ev '$(AGAIN)')"; again="$$(echo "$$packages" | grep -E '$(AGAIN)')"; \
	echo "go test of all that has changed"; go test -vet=off $$rest; \
	echo "go test -count=1" $$again; go test -vet=off -count=1 -timeout=30m -shuffle=on $$again

# Building runtime/cgo with the race detector shows whether there is a working C compiler. The tests of e2e run other
# programs, in which the detector would see nothing.
test-race: ## the tests of cmd and internal with the race detector, in a random order; needs a C compiler
	@if ! CGO_ENABLED=1 go build -race runtime/cgo >/dev/null 2>&1; then \
		echo "SKIPPED: the race detector needs a working C compiler."; \
	else \
		CGO_ENABLED=1 go test -race -vet=off -timeout=30m -shuffle=on ./cmd/... ./internal/...; \
	fi

test-contract: ## the fixtures of the wire formats against the vendors' SDKs
	@set -e; $(WITH_SDKS); cd internal/contract; go test -vet=off -shuffle=on ./...

test-load: ## the load generator of make bench, against the server and against one that forgets
	@set -e; $(PLAIN); cd e2e/load; go test -vet=off -count=1 -shuffle=on ./...

test-page: ## the page in headless Chromium, with axe-core (PAGE_SCREENSHOTS=folder keeps pictures); installs Chromium on Debian as root; needs npm; skipped without them
	internal/page/browsertest/run.sh

page-libraries: ## fetch the libraries of the page from npm anew and verify them; needs npm and openssl
	internal/page/libraries.sh

schemathesis: ## requests made of the OpenAPI document, right and wrong ones, against the real API; needs python3
	@if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "SKIPPED: the OpenAPI checker needs python3 with venv and pip."; \
	else \
		e2e/schemathesis.sh; \
	fi

aws-servers: ## DynamoDB Local and moto into .tools/, for the tests of the DynamoDB store; needs mvn, java and python3
	tools/aws-servers.sh

e2e: aws-servers ## the Lambda functions as they are deployed, behind a Runtime API of our own that freezes them, over DynamoDB Local and moto; needs mvn, java and python3
	THALAS_E2E=required go test -count=1 -run='^TestLambda' ./e2e

e2e-sam: ## the stack as sam builds and runs it: validated, each event of events/, the API over HTTP; needs Docker, or root on Debian, and mvn, java, python3
	e2e/sam/run.sh

e2e-container: ## the image of the Dockerfile, built offline and run locked down, and compose.yaml; needs Docker with Compose, or root on Debian
	e2e/container/run.sh

local: aws-servers ## the stack in Docker by sam local, with an API to try; keys and variables from .env (LOCAL=flags)
	e2e/template/install.sh
	go run ./e2e/local $(LOCAL)

test-template: ## the SAM template: validated, linted, and held against the contract as it expands; needs python3
	@if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "SKIPPED: the tests of the template need python3 with venv and pip."; \
	else \
		e2e/template/run.sh; \
	fi

test-freqtrade: ## examples/freqtrade in the real freqtrade, offline: each failure, a dry run, a backtest; needs python3 3.11 or later
	@if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		echo "SKIPPED: the tests of the freqtrade strategy need python3, 3.11 or later, with venv and pip."; \
	else \
		e2e/freqtrade/run.sh; \
	fi

# CloudFormation notices new parameters only under a new name of the deployment. MOVED=yes: see tools/parameters.sh.
deploy: ## build, deploy to AWS and call the API once; ENV=default, dev or prod of samconfig.toml; needs the SAM and AWS CLIs
	MOVED='$(MOVED)' tools/parameters.sh $(ENV) $(STACK)
	sam build --config-env $(ENV)
	@echo "Release: $(VERSION)-$$(date -u +%Y%m%dT%H%M%SZ)" > .aws-sam/release.yaml
	sam deploy --config-env $(ENV)
	tools/smoke.sh $(STACK)

lint: ## gofmt, go vet, staticcheck
	@echo "gofmt -l"; files=$$(gofmt -l $(wildcard */)) || exit 1; \
	if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	@set -e; for module in $(MODULES); do \
		echo "cd $$module && go vet ./... && staticcheck ./..."; \
		if [ "$$module" != . ]; then $(WITH_SDKS); fi; \
		(cd $$module && go vet ./... && $(TOOL) staticcheck ./...); \
	done

# An unreachable database is no finding; every other failure is one.
vuln: ## known vulnerabilities in what is linked
	@echo "govulncheck ./..."; \
	if output=$$($(TOOL) govulncheck ./... 2>&1); then echo "$$output"; exit; fi; \
	echo "$$output"; \
	case "$$output" in \
		*"govulncheck: fetching vulnerabilities:"*) \
			echo "NOT CHECKED: the vulnerability database can't be reached from here." ;; \
		*) exit 1 ;; \
	esac

sbom: ## dist/thalas.cdx.json: the modules that are linked, with checksums and licences, as CycloneDX
	@mkdir -p dist
	go run ./internal/linked -version $(VERSION) sbom >dist/thalas.cdx.json

licences: ## dist/THIRD_PARTY_LICENCES, which goes along with a copy of a program; fails for a licence that is unknown or copyleft
	@mkdir -p dist
	go run ./internal/linked licences >dist/THIRD_PARTY_LICENCES

fuzz: ## every fuzz target for FUZZTIME (30s)
	@listed=$$(go test -list '^Fuzz' ./...) || { echo "$$listed"; exit 1; }; \
	echo "$$listed" | awk '/^Fuzz/ { targets[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, targets[i]; n = 0 }' | \
	while read -r package target; do \
		echo "go test -fuzz=^$$target\$$ -fuzztime=$(FUZZTIME) $$package"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=10x "$$package" </dev/null || exit 1; \
	done

bench: ## every benchmark with its allocations (BENCH=pattern picks some), then the server under load (LOAD=flags)
	go test -run='^$$' -bench='$(BENCH)' -benchmem ./...
	go run -C e2e/load . $(LOAD)

bench-lambda: ## the Lambda functions: size, start, memory, what a request costs, capacity units of a run
	THALAS_SIZE_GOARCH=arm64 go test -run='^TestFunctionsAreSmall$$' -count=1 -v ./e2e
	go test -run='^TestFigures$$' -count=1 -v ./e2e -figures
	go test -run='^TestCapacityOfARun$$' -count=1 -v ./internal/store/dynamo

chaos: ## break everything around the server on this machine for 5 to 12 minutes, and write the tables of docs/reliability.md (CHAOS=flags)
	go run ./e2e/chaos -docs docs/reliability.md $(CHAOS)

# The suite in providertest is test code itself: its lines are its failures.
cover: ## statements that each core package's own tests reach; fails below COVERAGE (90) percent
	@packages=$$(go list ./internal/... | grep -E '/internal/(signal|consensus|provider|orchestrator)(/|$$)' | grep -v '/providertest$$'); \
	output=$$(go test -cover $$packages); status=$$?; echo "$$output"; \
	[ $$status -eq 0 ] || exit $$status; \
	echo "$$output" | awk -v least=$(COVERAGE) ' \
		match($$0, /coverage: [0-9.]+%/) && substr($$0, RSTART + 10, RLENGTH - 11) + 0 < least { print "below " least " %:", $$0; low = 1 } \
		END { exit low }'
