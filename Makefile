# One set of commands, for people and for CI: `make help` lists them.
#
# Every folder below daemon/ is a layer and becomes one archive, build/lib/lib<layer>.a. Files named
# *_test.c are unit tests: each becomes one program of its own, linked with every layer. Nothing is
# listed by hand: a new .c file in a layer is built, a new *_test.c is built and run.

BUILD   ?= build
VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
SEED    ?= 1
STEPS   ?= 20000
TIME    ?= 60

CC      ?= gcc
CLANG   ?= clang
PROTOC_C ?= protoc-c
BPFTOOL  = $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
PYTHON  ?= /usr/bin/python3
SAN     ?=
# V=1 shows the whole commands.
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))')

PACKAGES := libsystemd libbpf libmicrohttpd gnutls libxml-2.0 jansson libcgroup libpcre2-8 libzmq libprotobuf-c
CTL_PACKAGES := libcurl libedit libxml-2.0 jansson libpcre2-8

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wswitch-enum -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Werror
OPT      ?= -O2
HARDENING ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS   += -std=c17 -D_GNU_SOURCE -DSV_VERSION='"$(VERSION)"' $(OPT) -g -fno-omit-frame-pointer \
            $(HARDENING) $(WARNINGS) $(SAN)
INCLUDES := -Iinclude -Idaemon -Ictl -I$(BUILD)
# Asked at first use and then remembered: `make deps check` installs what pkg-config is asked for.
SYSTEM_INCLUDES = $(eval SYSTEM_INCLUDES := $(subst -I,-isystem ,$(shell pkg-config --cflags $(PACKAGES) $(CTL_PACKAGES))))$(SYSTEM_INCLUDES)
LDFLAGS  += -Wl,-z,relro,-z,now $(SAN)
# Debian's libwslay has no .pc file.
LIBS      = $(eval LIBS := $(shell pkg-config --libs $(PACKAGES)) -lwslay)$(LIBS)
CTL_LIBS  = $(eval CTL_LIBS := $(shell pkg-config --libs $(CTL_PACKAGES)))$(CTL_LIBS)

# The order is the link order: who uses stands before who is used.
LAYERS := driver api io core port wire config base
sources = $(filter-out %_test.c,$(wildcard daemon/$(1)/*.c daemon/$(1)/*/*.c))
# What a tool writes: mesh.pb-c.c from mesh.proto, for wire.
GENERATED_wire := gen/mesh.pb-c.c
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$(1)) $(GENERATED_$(1)))
# Who includes it; the first build knows no dependencies yet.
MESH_USERS := $(patsubst %.c,$(BUILD)/obj/%.o,$(shell grep -ls 'gen/mesh.pb-c.h' daemon/wire/*.c))
archives = $(foreach l,$(1),$(if $(call sources,$(l)),$(BUILD)/lib/lib$(l).a))
LAYER_LIBS := $(call archives,$(LAYERS))
CTL_LAYER_LIBS := $(call archives,io wire config base)
PURE_LIBS := $(call archives,core port wire config base)
CTL_SOURCES := $(filter-out %_test.c,$(wildcard ctl/*.c ctl/*/*.c))
TEST_SOURCES := $(wildcard daemon/*/*_test.c daemon/*/*/*_test.c tests/sim/*_test.c tests/bpf/*_test.c)
TESTS := $(patsubst %.c,$(BUILD)/test/%,$(TEST_SOURCES))
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)

PROGRAMS := $(if $(wildcard daemon/main.c),$(BUILD)/svisord $(BUILD)/svisor-holder) $(if $(CTL_SOURCES),$(BUILD)/svctl)

.PHONY: all help
all: $(PROGRAMS)

## make help            this list
help:
	@sed -n 's/^## //p' Makefile

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(INCLUDES) $(SYSTEM_INCLUDES) -MMD -MP -c -o $@ $<

define layer_rule
$(BUILD)/lib/lib$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

## make                 build build/svisord and build/svctl
$(BUILD)/svisord: $(BUILD)/obj/daemon/main.o $(LAYER_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# Nothing but libc: of the archives it takes three or four objects.
$(BUILD)/svisor-holder: $(BUILD)/obj/daemon/holder.o $(BUILD)/lib/libio.a $(BUILD)/lib/libbase.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(BUILD)/svctl: $(CTL_SOURCES:%.c=$(BUILD)/obj/%.o) $(CTL_LAYER_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CTL_LIBS)

# eBPF: objects, loaded through the skeletons that bpftool writes.
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) include/svisor/bpf_abi.h
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) -O2 -g -Wall -Werror -target bpf -Iinclude -Ibpf \
	    -isystem /usr/include/$(shell $(CC) -dumpmachine) -c -o $(@:.o=.raw.o) $<
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.raw.o)

$(BUILD)/gen/%.skel.h: $(BUILD)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp
	@mv $@.tmp $@

$(BUILD)/obj/daemon/io/bpf.o $(BUILD)/obj/tests/bpf/layout_test.o: $(BUILD)/gen/svisor.skel.h

$(BUILD)/obj/daemon/io/traffic.o: $(BUILD)/gen/traffic.skel.h

$(BUILD)/obj/daemon/io/cgroup_times.o: $(BUILD)/gen/cgroup_times.skel.h

# The schema of the rules files is a file for people and their editors, and a text for svisord.
$(BUILD)/gen/rules_xsd.h: daemon/config/rules.xsd
	@mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^ *//; s/.*/"&\\n"/' $< > $@

$(BUILD)/obj/daemon/config/rules_document.o: $(BUILD)/gen/rules_xsd.h

# The page that tries REST: files for browsers, and bytes for svisord.
WEB_TRY := index.html try.css try.js
$(BUILD)/gen/web_try.h: $(WEB_TRY:%=web/try/%)
	@mkdir -p $(@D)
	$(Q)for file in $(WEB_TRY); do \
	    echo "static const unsigned char $$(echo $$file | tr . _)[] = {"; \
	    od -An -v -tx1 web/try/$$file | sed 's/ \(..\)/0x\1,/g'; echo '};'; \
	done > $@

$(BUILD)/obj/daemon/driver/rest/page.o: $(BUILD)/gen/web_try.h

# The dashboard: web/build.mjs makes the files and their bytes for svisord.
WEB_SOURCES := $(shell find web/src -type f) web/build.mjs web/tsconfig.json web/package-lock.json
$(BUILD)/gen/dashboard.h: $(WEB_SOURCES)
	@command -v node >/dev/null && cmp -s web/package-lock.json web/node_modules/.installed-lock || \
	    { echo "the dashboard needs node, and web/node_modules as web/package-lock.json says: run make deps" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,WEB,$(BUILD)/web)
	$(Q)node web/build.mjs $(abspath $(BUILD))

$(BUILD)/obj/daemon/driver/dashboard.o: $(BUILD)/gen/dashboard.h

# Messages between instances: structures, their descriptors, and nothing else.
$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h &: include/svisor/%.proto
	@mkdir -p $(@D)
	$(call say,PROTO,$@)
	$(Q)$(PROTOC_C) -Iinclude/svisor --c_out=$(BUILD)/gen $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(INCLUDES) $(SYSTEM_INCLUDES) -MMD -MP -c -o $@ $<

$(MESH_USERS): $(BUILD)/gen/mesh.pb-c.h

$(BUILD)/test/%: $(BUILD)/obj/%.o $(LAYER_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(LAYER_LIBS) $(LIBS) $(shell pkg-config --libs cmocka)

## make tests           build the unit tests, not run them
.PHONY: tests
tests: $(TESTS) $(BUILD)/gen/docs $(BUILD)/gen/ask $(BUILD)/web/test/store.test.mjs
$(BUILD)/web/test/store.test.mjs: $(BUILD)/gen/dashboard.h
	$(Q)rm -rf $(@D)
	$(Q)node web/build.mjs $(abspath $(BUILD)) --tests
# Answers questions of tests/interop about what no output of svisord shows.
$(BUILD)/gen/ask: $(BUILD)/obj/tests/support/ask/ask.o $(LAYER_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
.SECONDARY:

## make check           run every test that this machine can run
## make check-quick     the part of it that takes under two minutes
## make check-vm        the tests in virtual machines on each kernel; make check takes the newest
## make lint            layers, purity, banned words, generated docs, format
.PHONY: check check-quick check-vm lint
# Without a JDK the tests of the Java client are skipped, and say so.
JAVA_TESTS = $(if $(shell command -v javac),java-tests)
check: all tests replays
	$(if $(JAVA_TESTS),$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD) $(JAVA_TESTS))
	$(PYTHON) tests/support/run.py --build $(BUILD) all
check-quick: all tests replays
	$(PYTHON) tests/support/run.py --build $(BUILD) quick
check-vm: all
	$(PYTHON) tests/support/run.py --build $(BUILD) vm
# Builds only what it looks at, and so needs no web/node_modules.
lint: $(PURE_LIBS) $(BUILD)/gen/docs
	$(PYTHON) tests/lint/lint.py --build $(BUILD)

## make vm-kernels      fetch the kernels of the virtual machines (make check does it at their first use)
.PHONY: vm-kernels
vm-kernels:
	tests/vm/kernel 6.1 $(BUILD)
	tests/vm/kernel 6.12 $(BUILD)

## make docs            write the generated sections of the manual from the .def tables
MANUAL := docs/man/svisord.8 docs/man/svisord.conf.5 docs/man/svctl.1 docs/api.md docs/deaths.md docs/resources.md
.PHONY: docs
docs: $(BUILD)/gen/docs
	$< $(MANUAL)
$(BUILD)/gen/docs: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/docs/*.c)) $(call archives,api) $(PURE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

## make java            build/svisor-client.jar: the client for Java 11 or later (docs/clients.md); needs a JDK to build
## make java-docs       its Javadoc, in build/java/docs
JAVA_JAR := $(BUILD)/svisor-client.jar
JAVA_SOURCES := $(shell find clients/java/src -name '*.java')
JAVA_TABLES := $(wildcard clients/java/*.py daemon/api/*.def daemon/api/method.c include/svisor/*.def)
# Warnings are errors here, too. A module has no class path to warn about, and what it requires is the JDK's own.
JAVAC = javac --release 11 -Xlint:all,-try -Werror -encoding UTF-8
.PHONY: java java-docs java-tests
java: $(JAVA_JAR)
	@echo '$(JAVA_JAR)'
$(BUILD)/java/generated: $(JAVA_TABLES)
	@rm -rf $(BUILD)/java/src && mkdir -p $(BUILD)/java/src
	$(Q)$(PYTHON) clients/java/generate.py $(BUILD)/java/src
	@touch $@
$(JAVA_JAR): $(JAVA_SOURCES) $(BUILD)/java/generated
	@command -v javac >/dev/null || { echo 'there is no javac: make deps, or install default-jdk-headless' >&2; exit 1; }
	$(call say,JAVAC,$@)
	@rm -rf $(BUILD)/java/classes
	$(Q)$(JAVAC) -d $(BUILD)/java/classes $(JAVA_SOURCES) $$(find $(BUILD)/java/src -name '*.java')
	$(Q)jar --create --file $@.tmp --module-version $(VERSION) -C $(BUILD)/java/classes .
	@mv $@.tmp $@
java-docs: $(JAVA_JAR)
	$(Q)javadoc -quiet -Xdoclint:all -Werror -encoding UTF-8 --release 11 -d $(BUILD)/java/docs \
	    $(filter-out %/wire/%,$(JAVA_SOURCES)) $$(find $(BUILD)/java/src clients/java/src/org/svisor/wire -name '*.java')
java-tests: $(BUILD)/java/tested
$(BUILD)/java/tested: $(JAVA_JAR) $(wildcard clients/java/test/org/svisor/test/*.java)
	$(call say,JAVAC,$(BUILD)/java/test)
	@rm -rf $(BUILD)/java/test
	$(Q)$(JAVAC) -cp $(BUILD)/java/classes -d $(BUILD)/java/test $(wildcard clients/java/test/org/svisor/test/*.java)
	@touch $@

## make deps            install what is missing (Debian packages, and web/node_modules as the lock file says)
.PHONY: deps
deps:
	tests/support/deps.sh

## make demo            build and run the demonstration: one node
## make demo-cluster    the same: three nodes, one application
## make bench           measure svisord beside supervisord and the bare kernel
## make bench-cluster   measure a cluster, beside Supvisors 0.19 (SUPVISORS_SRC, its checkout); LOAD=… minutes of full load
## make bench-dashboard measure the dashboard of 1,000 programs on 10 nodes in Chromium
## make screenshots     pictures of every page of the dashboard, of a real cluster, into docs/images
## make sim             simulate the core: SEED=… STEPS=… TRACE=1 (every event and action)
## make fuzz            fuzz every parser of outside bytes: TIME=… seconds each
## make fuzz-replay     run every fuzz target on its saved corpus
## make asan            build with ASan and UBSan, and run the tests with them
LOAD    ?= 0
.PHONY: demo demo-cluster bench bench-cluster bench-dashboard screenshots sim fuzz asan
demo: all
	BUILD=$(abspath $(BUILD)) docs/examples/demo/run
demo-cluster: all
	BUILD=$(abspath $(BUILD)) docs/examples/demo-cluster/run
bench: all
	$(PYTHON) tests/bench/bench.py --build $(BUILD)
bench-cluster: all
	$(PYTHON) tests/bench/cluster.py --build $(BUILD) --load $(LOAD)
bench-dashboard: all
	$(PYTHON) tests/bench/dashboard.py --build $(BUILD)
screenshots: all
	$(PYTHON) tests/support/screenshots.py --build $(BUILD)
sim: $(BUILD)/test/tests/sim/core_sim_test sim-cluster
	$< $(SEED) $(STEPS) $(TRACE)
## make sim-cluster     simulate a cluster: SEED=… SECONDS=… TRACE=1 (every event and decision)
SECONDS ?= 20
.PHONY: sim-cluster
sim-cluster: $(BUILD)/test/tests/sim/cluster_sim_test
	$< $(SEED) $(SECONDS) $(TRACE)
## make sim-cost        what the mesh of a simulated cluster costs: NODES="3 30 300"
NODES ?= 3 30 300
.PHONY: sim-cost
sim-cost: $(BUILD)/test/tests/sim/cluster_sim_test
	$< cost $(NODES)
asan:
	$(MAKE) BUILD=$(BUILD)/asan OPT=-O1 HARDENING=-DSV_SANITIZED=1 \
	    SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" check

-include tests/fuzz/fuzz.mk

## make install         DESTDIR=… PREFIX=…
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS := svisord.service svisor-programs.service
.PHONY: install clean
install: all
	install -D -m 755 $(BUILD)/svisord $(DESTDIR)$(PREFIX)/sbin/svisord
	install -D -m 755 $(BUILD)/svisor-holder $(DESTDIR)$(PREFIX)/sbin/svisor-holder
	install -D -m 755 $(BUILD)/svctl $(DESTDIR)$(PREFIX)/bin/svctl
	install -D -m 644 daemon/config/rules.xsd $(DESTDIR)$(PREFIX)/share/svisor/rules.xsd
	install -D -m 644 docs/man/svisord.8 $(DESTDIR)$(PREFIX)/share/man/man8/svisord.8
	install -D -m 644 docs/man/svisord.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/svisord.conf.5
	install -D -m 644 docs/man/svctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/svctl.1
	install -d -m 755 $(DESTDIR)$(UNITDIR)
	for unit in $(UNITS); do \
	    sed -e 's,@SBINDIR@,$(PREFIX)/sbin,; s,@BINDIR@,$(PREFIX)/bin,' units/$$unit.in > $(DESTDIR)$(UNITDIR)/$$unit && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$unit || exit; \
	done

## make deb             build/svisor_VERSION_ARCH.deb
.PHONY: deb
deb: all
	packaging/deb $(BUILD) $(VERSION)

## make clean           remove the build directory
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
