# make man    the manual pages, in .build/man
# make documents  docs/commands.md, docs/job-file.md and config/reference.yaml, from the program itself
# make demo   a whole run on a throw-away cluster and repository
# make test   the whole suite, against real PostgreSQL and real Borg, and then its twenty slowest tests; with OPTIMIZED=yes, of what a release is
# make install   puts the release and all that belongs to it below PREFIX, which is /usr/local; make uninstall takes it away again
# make deb    a Debian package of the release for this version of Debian, in .build
# make test-package   the package on a new Debian: installed, updated, removed, purged; takes three minutes, and is no part of make test
# make test-systemd   the units under a real systemd, in a container of this machine's own root; takes three minutes
# make test-volumes   snapshots of real LVM and ZFS, in a virtual machine; takes half an hour, and is no part of make test
# make test-fleet  the Ansible role, the manifest for Kubernetes, the container image in an engine of its own, and dumps out of containers; takes some minutes
# make test-regression  PostgreSQL's own regression database through Muster and back, and to PostgreSQL 16, 17 and 18; takes some minutes
# make test-regression-days  the same database changes for thirty days with growth: delta, and each day's tables are compared; takes some minutes
# make test-page   report pages in a real browser, by a checker of accessibility; takes some minutes, and is no part of make test
# make fuzz   every parser with changed input, for some minutes; part of make test with few rounds
# make sanitize  the suites of single modules under the address sanitizer and the thread sanitizer; takes a quarter of an hour
# make bench  the figures, as ratios within one run
# make faults system calls of small runs, made to fail one after the other; takes an hour
# Each installs what is missing (Debian, as root or with sudo) and needs nothing set up by hand.

SHELL := /bin/bash
RELEASE_DIR ?= .build/release
RELEASE := $(RELEASE_DIR)/muster
# Apart from the release, whose options are others.
TESTS := --configuration release --scratch-path .build/tests
# Optimized where that counts, see Package.swift: to optimize the rest takes as long as a third of the suite, and saves nothing. With OPTIMIZED=yes
# all is, as in a release.
test fuzz sanitize documents build-tests: export MUSTER_BUILD = $(if $(OPTIMIZED),,tests)
# Few at once: on two cores a thousand that begin together only wait, and no deadline in them means anything.
AT_ONCE = $(shell swift test --help-hidden 2>/dev/null | grep -o -- --experimental-maximum-parallelization-width | head -n 1 | sed 's/$$/ 8/')

# Neither looks for libraries beside itself (RUNPATH), and neither carries what only a debugger reads.
RELEASED := --configuration release --disable-local-rpath -Xlinker -s

.PHONY: documents man fuzz sanitize demo test test-programs test-page test-package test-systemd test-volumes test-fleet test-regression test-regression-days build-tests bench faults lint release install uninstall \
	deb install-build-packages install-packages install-test-packages

demo: install-packages release
	$(RELEASE) demo

test: test-programs build-tests
	@mkdir -p .build; rm -f .build/test-times
	export MUSTER_TEST_TIMES=$$PWD/.build/test-times; .ci/suite $(TESTS) $(AT_ONCE) --skip-build --disable-xctest; \
		status=$$?; .ci/slowest "$$MUSTER_TEST_TIMES"; exit $$status

test-programs: install-test-packages
	@.ci/borg 1.4.5
	@.ci/borg 2.0.0b22
	@.ci/postgresql18
	@.ci/kubernetes

# Each run begins elsewhere. What a run prints repeats it, and the last input of each parser is kept.
fuzz: install-test-packages build-tests
	@mkdir -p .build/fuzz; export MUSTER_FUZZ_SEED=$${MUSTER_FUZZ_SEED:-$$(date +%s)} MUSTER_FUZZ_ROUNDS=$${MUSTER_FUZZ_ROUNDS:-20000} \
		MUSTER_FUZZ_LAST=$$PWD/.build/fuzz; echo "MUSTER_FUZZ_SEED=$$MUSTER_FUZZ_SEED"; \
		swift test $(TESTS) --skip-build --disable-xctest --filter Fuzzing

# Of all that needs no other program: a sanitizer makes of each start a long one, and looks at this process alone.
SANITIZED := DumpCoreTests|ChecksumsTests|RowDeltaTests|TreesTests|ProcessesTests|StagingTests|DirectoriesTests|MusterConfigTests|PipelineTests|Fuzzing

# One lane each, built apart, and optimized as the tests are: without that the thread lane takes hours. What the kernel puts at random addresses
# may lie where a sanitizer keeps its own.
sanitize: install-test-packages
	export TSAN_OPTIONS="suppressions=$$PWD/.ci/thread-suppressions"; \
	for sanitizer in address thread; do \
		setarch --addr-no-randomize .ci/in-memory swift test --configuration release --sanitize $$sanitizer --scratch-path .build/$$sanitizer \
			-Xswiftc -enable-testing $(AT_ONCE) --disable-xctest --filter '^($(SANITIZED))\.' || exit; \
	done

test-systemd: install-test-packages release
	@.ci/packages systemd-container dbus
	@rm -rf .build/systemd; $(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/.build/systemd PREFIX=/usr
	Tests/Systemd/units .build/systemd

test-volumes: install-packages release
	@.ci/packages qemu-system-x86 busybox-static build-essential fdisk kmod linux-headers-amd64 lvm2 xfsprogs
	Tests/Volumes/guest Tests/Volumes/volumes

test-page: install-test-packages release
	@.ci/packages chromium-headless-shell fonts-dejavu-core
	Tests/Page/browser $(RELEASE)

PACKAGE = .build/muster_$(VERSION)_$$(dpkg --print-architecture).deb

test-package: deb
	@.ci/packages lintian mmdebstrap systemd-container
	Tests/Package/deb $(RELEASE_DIR)
	Tests/Package/booted $(PACKAGE) $(RELEASE_DIR)
	Tests/Package/chroot $(PACKAGE) $(RELEASE_DIR)

test-fleet: deb
	@.ci/packages docker.io mmdebstrap ansible-core python3-apt
	MUSTER=$(RELEASE) $$(.ci/kubernetes) Tests/Fleet/manifest
	MUSTER=$(RELEASE) MUSTER_PACKAGE=$(PACKAGE) Tests/Fleet/role
	Tests/Fleet/image $(PACKAGE)
	Tests/Fleet/containers $(RELEASE)

test-regression: install-packages release
	@.ci/packages postgresql-server-dev-15 gcc python3-venv
	Tests/Regression/regression $(RELEASE)

test-regression-days: install-packages release
	@.ci/packages postgresql-server-dev-15 gcc python3-venv
	Tests/Regression/regression $(RELEASE) days

build-tests: install-build-packages
	swift build $(TESTS) --build-tests -debug-info-format none -Xswiftc -enable-testing

bench: install-test-packages release
	@.ci/borg --optimized 1.4.5
	@.ci/comparison
	Benchmarks/bench
	Benchmarks/bench-archives
	Benchmarks/bench-directories
	Benchmarks/bench-growth
	Benchmarks/bench-objects
	Benchmarks/bench-restores
	Benchmarks/bench-plugins

faults: install-test-packages release
	Benchmarks/faults

# What is made from the program itself: a test compares it with what is here.
documents: build-tests
	.build/tests/release/muster documents commands > docs/commands.md
	.build/tests/release/muster documents job-file > docs/job-file.md
	.build/tests/release/muster documents reference-job > config/reference.yaml

# Manual pages for packages: muster.1, muster-COMMAND.1 and muster.yaml.5 in .build/man.
man: release
	@mkdir -p .build/man
	$(RELEASE) documents man --into .build/man

lint:
	@! grep -rnE '\.split\((separator: "|whereSeparator: \\.)|components\(separatedBy' Sources | grep -v unicodeScalars \
		|| { echo "split text at bytes, see DumpCore/ASCIISplitting.swift"; exit 1; }
	@! grep -rnE '\b(posix_spawnp?|exec[lv][pe]*|v?fork|clinux_spawn|popen|system)\(' Sources --include='*.swift' | grep -vE '^Sources/Processes/|: *//' \
		|| { echo "start programs in Processes alone"; exit 1; }
	@.ci/modules
	swift format lint --strict --recursive Sources Tests Package.swift

# Two executables that need no Swift on the host they run on: muster, and muster-keeper, to be installed beside it.
release: install-packages
	swift build $(RELEASED) --product muster --static-swift-stdlib
	swift build $(RELEASED) --product muster-keeper
	@.ci/hardening .build/release/muster .build/release/muster-keeper
	@cd .build/release && numfmt --to=iec-i --suffix=B --format=%.1f --field=1 < <(stat --format='%s %n' muster muster-keeper)

# The release is built if there is none, and never again: make release does that. So neither of these needs Swift, or root.
$(RELEASE):
	$(MAKE) --no-print-directory release

# Whole paths; a package sets DESTDIR. zsh of Debian looks for completions of packages elsewhere.
DESTDIR ?=
PREFIX ?= /usr/local
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/site-functions
PLACES = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' ZSH_COMPLETIONS='$(ZSH_COMPLETIONS)'
VERSION ?= $(shell sed -nE 's/^let toolVersion = "(.*)"$$/\1/p' Sources/MusterCommands/Muster.swift)

install: $(RELEASE)
	@$(PLACES) .ci/install $(RELEASE_DIR)

uninstall: $(RELEASE)
	@$(PLACES) .ci/uninstall $(RELEASE_DIR)

deb: $(RELEASE)
	@[ "$$($(RELEASE) --version)" = "$(VERSION)" ] || { echo "$(RELEASE) is older than the source, which is $(VERSION): make release" >&2; exit 1; }
	@.ci/deb $(RELEASE_DIR) $(VERSION) .build

# Each list holds the one before, so that apt runs once. A build waits for the first alone.
BUILD_PACKAGES := libpq-dev libyaml-dev libssl-dev pkg-config
PACKAGES := $(BUILD_PACKAGES) postgresql borgbackup

install-build-packages:
	@.ci/packages $(BUILD_PACKAGES)

install-packages:
	@.ci/packages $(PACKAGES)

install-test-packages: install-build-packages
	@.ci/packages $(PACKAGES) python3-venv python3-dev gcc libacl1-dev liblz4-dev libzstd-dev libxxhash-dev strace openssh-server openssh-client \
		busybox gawk groff-base mawk rsync attr acl mtree-netbsd libarchive-tools btrfs-progs pgbouncer mandoc zsh fish nix-bin systemd \
		mariadb-server redis-server slapd ldap-utils etcd-server etcd-client sqlite3 python3 python3-html5lib curl apprise openssl \
		prometheus prometheus-node-exporter
