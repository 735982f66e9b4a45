TOOL := go tool -modfile=tools/go.mod

# The lab's property test runs this many times in `make check`.
LAB_CHECKS ?= 2000

# How many hostile changes `make fuzz` makes: a million take ten to twenty minutes.
FUZZ_INPUTS ?= 1000000

# How many times `make crash` kills and `make powercut` cuts.
CRASH_KILLS ?= 200
POWER_CUTS ?= 20

# How many random histories `make fleet` plays for each schema.
FLEET_SEEDS ?= 1000

.PHONY: run test check setup format vet lint race imports portable lab fuzz decoders bench crash powercut damage faults fleet

# Shows the main job without asking anything: two nodes, apart and together.
run:
	go run ./examples/mainjob

# Installs what tests need and runs everything.
test: setup
	go test -timeout 10m ./...

# What CI runs on top of the tests.
check: setup format vet lint imports portable race lab
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

# The tutorial's programs are built without -race anyway.
race:
	go test -race -timeout 10m -skip '^TestTutorial$$' ./...

# Only .automerge files need cgo, and only the store and the program need Unix.
portable:
	CGO_ENABLED=0 go build -o /dev/null ./cmd/peer
	CGO_ENABLED=0 go test ./doc/core
	GOOS=windows CGO_ENABLED=0 go build ./doc/... ./sync ./space ./p2p ./persist

# Many random stories, and the proof that they would notice a bug.
lab:
	go test -count=1 -timeout 10m ./sync/lab -rapid.checks=$(LAB_CHECKS)
	scripts/seeded-bug $(LAB_CHECKS)

# Hostile changes in front of the gate and the core, in child processes; ends with 1 if anything dies, hangs or differs.
fuzz:
	go run ./scripts/fuzz -inputs $(FUZZ_INPUTS)

# Random bytes for every decoder, twenty seconds each.
decoders:
	scripts/decoders

# kill -9 at random moments, 200 of them in five to ten minutes; ends with 1 if anything acknowledged is lost.
crash:
	go run ./scripts/crash -kills $(CRASH_KILLS)

# The power cut at random moments, and disks that run full: root on Linux.
powercut: setup
	go run ./scripts/crash -cuts $(POWER_CUTS) -full 3

# Every kind of file in a device's directory, damaged in every way: ten minutes; ends with 1 if anything is lost in silence or does not heal.
damage:
	go run ./scripts/damage

# Faults built into the lens engine, one at a time, which the tests of schema must find: some minutes.
faults:
	go run ./scripts/schemafaults

# Mixed versions of programs edit documents together, over random schemas and real ones: minutes.
fleet:
	go test -count=1 -timeout 1h ./schema/schematest -run Fleet -v -seeds $(FLEET_SEEDS)
	go test -count=1 -timeout 1h ./examples/upgrade -run TestSchema/Fleet -v -seeds $(FLEET_SEEDS)

# Ratios beside the core, measured in one run.
bench:
	go run ./bench doc
	go run ./bench store
	go run ./bench schema
