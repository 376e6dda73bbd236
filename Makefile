# shmcheck: build, judge, test. `make help` lists what there is.

SANITIZE ?=
comma := ,
BUILD ?= build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))
prefix ?= /usr/local
libdir ?= $(prefix)/lib/shmcheck

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
DIALECT = -std=c11
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
# Under the address sanitizer a bad access, a full address space and a fork mean something else than on the platform
# that is judged: the agent is built without it.
# A segment can be attached at address 0, and then be read there.
AGENT_SANITIZER = $(if $(findstring undefined,$(SANITIZE)),-fsanitize=undefined -fno-sanitize=null -fno-sanitize-recover=all)
DEPENDENCIES = -MMD -MP

AGENT_SOURCES = $(wildcard harness/agent/*.c) $(wildcard cases/*.c)
TOOL_SOURCES = $(wildcard harness/judge/*.c) $(wildcard harness/cli/*.c) $(wildcard reports/*.c)
MUTANT_SOURCES = $(wildcard fakes/mutants/*.c)
TEST_SOURCES = $(wildcard ci/tests/*.c)

AGENT_OBJECTS = $(AGENT_SOURCES:%.c=$(BUILD)/agent/%.o)
TOOL_OBJECTS = $(TOOL_SOURCES:%.c=$(BUILD)/tool/%.o)
MUTANT_OBJECTS = $(MUTANT_SOURCES:%.c=$(BUILD)/mutants/%.o)
MATRIX_OBJECTS = $(patsubst %.c,$(BUILD)/tool/%.o,$(wildcard ci/mutants/*.c))
# What other programs of the project take of the tool.
TOOL_PARTS = $(filter-out %/cli/main.o,$(TOOL_OBJECTS))
TEST_OBJECTS = $(TEST_SOURCES:%.c=$(BUILD)/tests/%.o)

AGENT_INCLUDES = -Iharness/agent
TOOL_INCLUDES = -Iharness/judge -Iharness/cli -Ireports
PACKAGES = jansson popt zlib
TOOL_FLAGS = -D_GNU_SOURCE $(TOOL_INCLUDES) -DSHMCHECK_LIBDIR='"$(libdir)"' $(shell pkg-config --cflags $(PACKAGES))
TOOL_LIBRARIES = $(shell pkg-config --libs $(PACKAGES)) -lunistring

PROGRAMS = $(BUILD)/shmcheck $(BUILD)/shmcheck-agent $(BUILD)/shmcheck-agent-static $(BUILD)/libshmmutant.so

.PHONY: all run check lint format bench fuzz mutants coverage coverage-of-code install clean help
all: $(PROGRAMS) ## build everything

run: all ## judge this machine
	$(BUILD)/shmcheck run

$(BUILD)/agent/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(AGENT_SANITIZER) $(DEPENDENCIES) -pthread $(AGENT_INCLUDES) -c $< -o $@

$(BUILD)/tool/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(SANITIZER) $(DEPENDENCIES) $(TOOL_FLAGS) -c $< -o $@

$(BUILD)/mutants/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(DEPENDENCIES) -D_GNU_SOURCE -fPIC -c $< -o $@

$(BUILD)/tests/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(SANITIZER) $(DEPENDENCIES) $(TOOL_FLAGS) $(AGENT_INCLUDES) -DBUILD='"$(BUILD)"' -c $< -o $@

$(BUILD)/shmcheck-agent: $(AGENT_OBJECTS)
	$(CC) $(CFLAGS) $(AGENT_SANITIZER) $(LDFLAGS) -pthread $^ -o $@

$(BUILD)/shmcheck-agent-static: $(AGENT_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -static -pthread $^ -o $@ $(if $(AGENT_SANITIZER),-lubsan)

$(BUILD)/shmcheck: $(TOOL_OBJECTS)
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES)

$(BUILD)/libshmmutant.so: $(MUTANT_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared $^ -o $@ -ldl

# The agent's parts that can be tried without an agent, and an agent whose cases misbehave.
AGENT_PARTS = $(addprefix $(BUILD)/agent/harness/agent/,text.o decode.o journal.o)
TEST_AGENT_OBJECTS = $(patsubst %.c,$(BUILD)/agent/%.o,$(wildcard harness/agent/*.c) $(wildcard ci/tests/cases/*.c))
$(BUILD)/shmcheck-test-agent: $(TEST_AGENT_OBJECTS)
	$(CC) $(CFLAGS) $(AGENT_SANITIZER) $(LDFLAGS) -pthread $^ -o $@

$(BUILD)/shmcheck-tests: $(TEST_OBJECTS) $(TOOL_PARTS) $(AGENT_PARTS)
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES) -lcriterion -lseccomp

check: all $(BUILD)/shmcheck-tests $(BUILD)/shmcheck-test-agent $(BUILD)/shmcheck-mutants ## run the project's own tests
	$(BUILD)/shmcheck-mutants
	$(BUILD)/shmcheck-tests --jobs 2

$(BUILD)/shmcheck-mutants: $(MATRIX_OBJECTS) $(filter-out %/cli/main.o,$(TOOL_OBJECTS))
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES) -ldl

mutants: all $(BUILD)/shmcheck-mutants ## which cases catch which mutant
	$(BUILD)/shmcheck-mutants

# Findings (status 1) are told, and the page is written all the same.
coverage: all ## write to cases/COVERAGE.md which cases check which clause
	$(BUILD)/shmcheck coverage --markdown >$(BUILD)/COVERAGE.md || [ $$? -eq 1 ]
	mv $(BUILD)/COVERAGE.md cases

lint: ## clang-format, clang-tidy, cppcheck, shellcheck
	ci/lint

format: ## lay the sources out
	clang-format -i $(shell git ls-files '*.c' '*.h')

$(BUILD)/shmcheck-bench: $(BUILD)/tests/ci/bench/cost_per_case.o $(TOOL_PARTS)
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES)

bench: all $(BUILD)/shmcheck-bench ## what a case costs over the floor, in one run
	$(BUILD)/shmcheck-bench $(BUILD)/shmcheck-agent-static

FUZZ_SECONDS ?= 60
$(BUILD)/fuzz-record-reader: ci/fuzz/record_reader_fuzz.c harness/judge/record_reader.c
	@mkdir -p $(@D)
	clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -D_GNU_SOURCE -Iharness/judge $^ -o $@ -ljansson -lz

fuzz: all $(BUILD)/fuzz-record-reader ## feed the record reader with what no agent would write
	ci/fuzz/run $(BUILD) $(FUZZ_SECONDS)

install: all ## into $(prefix), or below $(DESTDIR)
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(libdir)/cases/profiles
	install $(BUILD)/shmcheck $(DESTDIR)$(prefix)/bin
	install $(BUILD)/shmcheck-agent $(BUILD)/shmcheck-agent-static $(BUILD)/libshmmutant.so $(DESTDIR)$(libdir)
	install -m 644 cases/*.c cases/*.h cases/clauses.txt $(DESTDIR)$(libdir)/cases
	install -m 644 cases/profiles/*.json $(DESTDIR)$(libdir)/cases/profiles

clean: ## remove the build folder
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

-include $(AGENT_OBJECTS:.o=.d) $(TEST_AGENT_OBJECTS:.o=.d) $(TOOL_OBJECTS:.o=.d) $(MUTANT_OBJECTS:.o=.d) $(MATRIX_OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
