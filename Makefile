TOOL := go tool -modfile=tools/go.mod

# The lab's property test runs this many times in `make check`.
LAB_CHECKS ?= 2000

.PHONY: run test check setup format vet lint race imports lab

# Shows the main job without asking anything: two nodes, apart and together.
run:
	go run ./examples/mainjob

# Installs what tests need and runs everything.
test: setup
	go test -timeout 10m ./...

# What CI runs on top of the tests.
check: setup format vet lint imports race lab
	@echo "check: all good"

# Installs what tests need on Debian; silent when nothing is missing.
setup:
	@scripts/setup

format:
	@unformatted=$$($(TOOL) gofumpt -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then \
		echo "not formatted; run '$(TOOL) gofumpt -w .':"; echo "$$unformatted"; exit 1; \
	fi

vet:
	go vet ./...

lint:
	$(TOOL) staticcheck ./...

imports:
	go test -count=1 -run '^TestImports$$' .

race:
	go test -race -timeout 10m ./...

# Many random stories, and the proof that they would notice a bug.
lab:
	go test -count=1 -timeout 10m ./sync/lab -rapid.checks=$(LAB_CHECKS)
	scripts/seeded-bug $(LAB_CHECKS)
