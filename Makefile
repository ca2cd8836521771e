# Two commands for a fresh Debian 12 machine with git, make and Rust: `make demo` and `make test`.
# Both install what is missing (deploy/setup.sh says what) and may be run again at any time.

# A camera's own recording or stream instead of the synthetic junction:
#   make demo VIDEO=clip.mp4 SITE=site.toml
#   make demo CAMERA='rtsp://user:password@host/stream' SITE=site.toml
# They go to the program by the environment, letter for letter: neither make nor a shell reads what
# is in them, so passwords may hold $, `, " and the like.
VIDEO ?=
CAMERA ?=
SITE ?=
override VIDEO := $(value VIDEO)
override CAMERA := $(value CAMERA)
override SITE := $(value SITE)
demo: export DEMO_VIDEO := $(VIDEO)
demo: export DEMO_CAMERA := $(CAMERA)
demo: export DEMO_SITE := $(SITE)

TARGET := $(or $(CARGO_TARGET_DIR),target)
DEMO := $(TARGET)/debug/demo

.PHONY: help
help:
	@echo "make demo    the whole system on this machine, with a synthetic junction camera"
	@echo "make smoke   the same without a person: drives officer and owner, checks every stage"
	@echo "make test    every test, and the smoke test"
	@echo "make lint    formatting, clippy, licences"
	@echo "make crash   kill -9 of agent and central at 50 random moments: nothing lost, nothing doubled"
	@echo "make crash-desk  200 kills of service, worker and database under officers and payments (CRASH=\"--kills 20 --cases 100\")"
	@echo "make soak    an hour with everything that goes wrong around a box: growth, recovery, evidence (SOAK=\"--minutes 10\")"
	@echo "make score   synthetic junctions and scenes of every act, events held against the truth (SCORE=\"--seeds 2 --scenes speed\")"
	@echo "make damage  lost, frozen and late pictures, wrong clocks, glaring lamps: nobody accused because of them"
	@echo "make tracks  a crowded synthetic junction at 5, 10 and 25 fps: HOTA, IDF1, swaps, losses"
	@echo "make lamps   synthetic lamp heads in glare, night, wind, badly drawn: wrong and unknown readings"
	@echo "make acts    every act and its look-alikes on simulated ways: who is found, who is accused wrongly"
	@echo "make fuzz    every fuzz target for FUZZ_SECONDS (default 600) each"
	@echo "make bench   the hot loop against the machine's limit"
	@echo "make bench-cameras how many cameras one box bears, live: pictures, fairness, cores, memory"
	@echo "make bench-fleet   300 simulated boxes against one central: nothing lost, what it needs of processor, memory, disk, line"
	@echo "make bench-day     6,000 cases by 40 officers, from the package to the paid fine, on both databases (DAY=\"--cases 200\")"
	@echo "make bench-lookup  the public look-up with 300,000 cases: latencies on both databases"
	@echo "make fuzz-api      the JSON API against its own OpenAPI document (schemathesis)"

.PHONY: demo
demo: setup build
	@exec $(DEMO) run

.PHONY: smoke
smoke: setup-test build
	@$(DEMO) smoke

.PHONY: crash
crash: setup build
	@$(DEMO) crash --kills 50

# Once on each database; the kills come evenly over the work, so more of them want more cases.
.PHONY: crash-desk
crash-desk: setup-test
	cargo build --release --locked -p central-api -p fleet -p demo --bins
	@$(or $(CARGO_TARGET_DIR),target)/release/demo crash --desk --postgres --kills 200 --cases 600 $(CRASH)
	@$(or $(CARGO_TARGET_DIR),target)/release/demo crash --desk --kills 200 --cases 600 $(CRASH)

.PHONY: soak
soak: setup build
	@$(DEMO) soak $(SOAK)

.PHONY: score
score: setup build
	@$(DEMO) score $(SCORE)

.PHONY: damage
damage: setup-test build
	@$(DEMO) damage --json benches/results/damage.json

.PHONY: tracks
tracks: setup build
	@$(DEMO) tracks

.PHONY: lamps
lamps: setup
	@mkdir -p benches/results
	cargo run --locked -p benches --bin lamps -- --json benches/results/lamps.json

.PHONY: acts
acts: setup
	@mkdir -p benches/results
	cargo run --locked -p drill -- --json benches/results/acts.json

.PHONY: test
test: setup-test build
	cargo test --locked --workspace
	@$(DEMO) smoke
	@$(DEMO) damage --short

.PHONY: lint
lint: setup-test
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	python3 deploy/licences.py

.PHONY: bench
bench: setup
	cargo run --release --locked -p benches --bin hot_loop

.PHONY: bench-cameras
bench-cameras: setup
	cargo build --release --locked -p edge-agent -p fixtures -p benches -p demo --bins
	@$(or $(CARGO_TARGET_DIR),target)/release/demo cameras $(CAMERAS)

# Flags by FLEET="--minutes 2 --postgres -- --slow 1"; what follows -- is for the fleet itself.
.PHONY: bench-fleet
bench-fleet: setup-test
	cargo build --release --locked -p central-api -p fleet -p demo --bins
	@$(or $(CARGO_TARGET_DIR),target)/release/demo fleet $(FLEET)

# The figures of both databases go to benches/results/day.json, a line of each to day.md.
.PHONY: bench-day
bench-day: setup-test
	cargo build --release --locked -p central-api -p fleet -p demo --bins
	@$(or $(CARGO_TARGET_DIR),target)/release/demo day $(DAY)
	@$(or $(CARGO_TARGET_DIR),target)/release/demo day --postgres $(DAY)

# The public look-up under load on both databases; the figures also go to benches/results/lookup.json.
.PHONY: bench-lookup
bench-lookup: setup-test
	@mkdir -p benches/results
	BENCH_RESULT=$(CURDIR)/benches/results/lookup.json cargo test --locked -p central-api --test it -- \
		--ignored --exact --nocapture load::a_hundred_look_ups_a_second

# The JSON API against its own document with schemathesis, which is put into a folder of its own.
.PHONY: fuzz-api
fuzz-api: build
	@deploy/fuzz-api.sh $(TARGET)/debug/central-api

FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= plate manifest seal package wire basis release history onvif
.PHONY: fuzz
fuzz: setup
	@command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	@# The stable compiler needs leave to use the sanitizer; see central-api/contract/fuzz/README.md.
	@cd central-api/contract/fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . $$target \
			corpus/$$target seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 || exit 1; \
	done

.PHONY: build
build:
	cargo build --locked --workspace --bins

.PHONY: setup setup-test
setup:
	@deploy/setup.sh
setup-test:
	@deploy/setup.sh --test
