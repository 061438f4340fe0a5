# Fuzz targets: every tests/fuzz/fuzz_NAME.c, with its seeds in tests/fuzz/corpus/NAME/.
#
# `make fuzz TIME=s` runs each for s seconds with clang's libFuzzer and the sanitizers. What it learns
# stays in $(BUILD)/fuzz/found/NAME; a crash is written beside it. `make fuzz-replay` runs each target
# on its seeds only, built like the rest; `make check` does that.

FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SOURCES))
FUZZ_LAYERS := api port wire config base
FUZZ_LIBS := $(call archives,$(FUZZ_LAYERS))
FUZZ_CODE := $(foreach l,$(FUZZ_LAYERS),$(call sources,$(l)) $(GENERATED_$(l):%=$(BUILD)/%))
FUZZ_PACKAGES = $(eval FUZZ_PACKAGES := $(shell pkg-config --libs libxml-2.0 jansson libpcre2-8 libprotobuf-c))$(FUZZ_PACKAGES)

.PHONY: fuzz fuzz-build fuzz-replay replays
replays: $(FUZZ_NAMES:%=$(BUILD)/fuzz/replay_%)

fuzz-build: $(FUZZ_NAMES:%=$(BUILD)/fuzz/fuzz_%)

fuzz: fuzz-build
	@for name in $(FUZZ_NAMES); do \
	    mkdir -p $(BUILD)/fuzz/found/$$name tests/fuzz/corpus/$$name; \
	    echo "fuzz $$name for $(TIME) s"; \
	    $(BUILD)/fuzz/fuzz_$$name -max_total_time=$(TIME) -timeout=20 -rss_limit_mb=2048 \
	        -max_len=16384 -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/found/$$name- \
	        $(BUILD)/fuzz/found/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_CODE) $(wildcard daemon/*/*.h daemon/*/*.def) $(BUILD)/gen/rules_xsd.h
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -std=c17 -D_GNU_SOURCE -DSV_VERSION='"$(VERSION)"' -g -O1 -fno-omit-frame-pointer \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	    $(INCLUDES) $(SYSTEM_INCLUDES) -o $@ $< $(FUZZ_CODE) $(FUZZ_PACKAGES)

$(BUILD)/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(FUZZ_PACKAGES)

fuzz-replay: replays
	@for name in $(FUZZ_NAMES); do \
	    $(BUILD)/fuzz/replay_$$name $$name tests/fuzz/corpus/$$name || exit 1; \
	done
