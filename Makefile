# The commands of this project. `make` alone explains them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test lint format tidy check-kill check-real soak bench bootstrap build release clean

help: ## explain these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start a demo province: broker, service, simulators, a live line; Ctrl-C stops it all
	@ops/run-demo

test: ## what CI runs: format, tidy, unit, property and end-to-end tests
	@ops/test

check-kill: ## the long kill test: 30 SIGKILLs, 100,000 messages, release build
	@ops/check-kill

check-real: ## five years of real hourly data, replayed under 20 SIGKILLs, release build
	@ops/check-real

soak: ## stations, faults, kills, full disks and clock steps for 10 minutes (SOAK=2h), release build
	@ops/soak

bench: ## the measurements of ARCHITECTURE.md, as a table
	@ops/bench

lint: bootstrap ## check the formatting
	@swift format lint --strict --recursive --parallel Package.swift Sources Simulators Tests

format: bootstrap ## format the sources in place
	@swift format --in-place --recursive --parallel Package.swift Sources Simulators Tests

tidy: bootstrap ## only the tests that check the repository itself
	@swift test --disable-xctest --filter TidyTests

build: bootstrap ## debug build
	@swift build

release: bootstrap ## release build of quantrac and quantrac-sim
	@swift build -c release --product quantrac
	@swift build -c release --product quantrac-sim

bootstrap: ## install what is needed to build and test (Debian packages, DuckDB under .tools/)
	@ops/bootstrap

clean: ## remove what was built; keeps the demo's data (var/) and .tools/
	@rm -rf .build .build-*
