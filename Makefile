# shmcheck: build, judge, test. `make help` lists what there is.

SANITIZE ?=
comma := ,
BUILD ?= build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))
prefix ?= /usr/local
libdir ?= $(prefix)/lib/shmcheck
version = 0.1.0

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
TOOL_SOURCES = $(wildcard harness/judge/*.c) $(wildcard harness/start/*.c) $(wildcard harness/mutants/*.c) $(wildcard harness/inject/*.c) $(wildcard harness/cli/*.c) $(wildcard reports/*.c)
MUTANT_SOURCES = $(wildcard fakes/mutants/*.c)
# The library that is preloaded reads the same plans as the tool, and shares a session with it.
FAULT_SOURCES = $(wildcard fakes/fault/*.c) $(wildcard harness/inject/fault_*.c) $(addprefix harness/inject/,name_glob.c own_namespace.c session.c whole_message.c)
TEST_SOURCES = $(wildcard ci/tests/*.c)

AGENT_OBJECTS = $(AGENT_SOURCES:%.c=$(BUILD)/agent/%.o)
TOOL_OBJECTS = $(TOOL_SOURCES:%.c=$(BUILD)/tool/%.o)
MUTANT_OBJECTS = $(MUTANT_SOURCES:%.c=$(BUILD)/mutants/%.o)
FAULT_OBJECTS = $(FAULT_SOURCES:%.c=$(BUILD)/fault/%.o)
# What other programs of the project take of the tool.
TOOL_PARTS = $(filter-out %/cli/main.o,$(TOOL_OBJECTS))
TEST_OBJECTS = $(TEST_SOURCES:%.c=$(BUILD)/tests/%.o)

AGENT_INCLUDES = -Iharness/agent
TOOL_INCLUDES = -Iharness/judge -Iharness/start -Iharness/mutants -Iharness/inject -Iharness/cli -Ireports
# What is loaded when it is needed, and not linked.
LOADED_PACKAGES = libxml-2.0
PACKAGES = jansson libdw libelf libseccomp libxml-2.0 popt zlib
TOOL_FLAGS = -D_GNU_SOURCE $(TOOL_INCLUDES) -DSHMCHECK_LIBDIR='"$(libdir)"' $(shell pkg-config --cflags $(PACKAGES))
TOOL_LIBRARIES = $(shell pkg-config --libs $(filter-out $(LOADED_PACKAGES),$(PACKAGES))) -lunistring -liberty -ldl

PROGRAMS = $(BUILD)/shmcheck $(BUILD)/shmcheck-agent $(BUILD)/shmcheck-agent-static $(BUILD)/libshmmutant.so $(BUILD)/libshmfault.so

.PHONY: all run check targets compat wrappers lint format bench fuzz mutants coverage coverage-of-code install clean help
all: $(PROGRAMS) ## build everything

run: all ## judge this machine
	$(BUILD)/shmcheck run

$(BUILD)/agent/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(AGENT_SANITIZER) $(DEPENDENCIES) -pthread $(AGENT_INCLUDES) -c $< -o $@

$(BUILD)/tool/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(SANITIZER) $(DEPENDENCIES) $(TOOL_FLAGS) -c $< -o $@

# The pages hold the files of reports/web.
$(filter %page.o,$(TOOL_OBJECTS)): $(wildcard reports/web/*)

$(BUILD)/mutants/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(DEPENDENCIES) -D_GNU_SOURCE -fPIC -c $< -o $@

$(BUILD)/fault/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DIALECT) $(WARNINGS) $(CFLAGS) $(DEPENDENCIES) -D_GNU_SOURCE -fPIC -fvisibility=hidden -Iharness/inject -c $< -o $@

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

$(BUILD)/libshmfault.so: $(FAULT_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libshmfault.so -Wl,-z,now $^ -o $@ -ldl

# What .incbin takes in is seen by no compiler.
$(BUILD)/tool/reports/%_page.o: $(wildcard reports/web/*)

# The agent's parts that can be tried without an agent, and an agent whose cases misbehave.
AGENT_PARTS = $(addprefix $(BUILD)/agent/harness/agent/,text.o decode.o journal.o)
TEST_AGENT_OBJECTS = $(patsubst %.c,$(BUILD)/agent/%.o,$(wildcard harness/agent/*.c) $(wildcard ci/tests/cases/*.c))
$(BUILD)/shmcheck-test-agent: $(TEST_AGENT_OBJECTS)
	$(CC) $(CFLAGS) $(AGENT_SANITIZER) $(LDFLAGS) -pthread $^ -o $@

$(BUILD)/shmcheck-tests: $(TEST_OBJECTS) $(TOOL_PARTS) $(AGENT_PARTS)
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES) $(shell pkg-config --libs $(LOADED_PACKAGES)) -lcriterion -lseccomp

check: all $(BUILD)/shmcheck-tests $(BUILD)/shmcheck-test-agent ## run the project's own tests
	$(BUILD)/shmcheck mutants
	$(BUILD)/shmcheck-tests --jobs 2

targets: all ## run the whole suite on each target of ci/targets that is installed; slow
	ci/run_targets $(BUILD)

# A target that diverges from its own profile (status 1) is told, and the reports are made all the same.
compat: all ## hold all platforms that run here side by side, in reports/example and $(BUILD)/compat; slow
	ci/compat/compat --build $(BUILD) || [ $$? -eq 1 ]

wrappers: all ## sweep the wrappers of ci/wrappers that are installed; slow
	SHMCHECK_PROGRAMS=$(BUILD) ci/sweep_wrappers

mutants: all ## which case sees which mutant
	$(BUILD)/shmcheck mutants

# Findings (status 1) are told, and the page is written all the same.
coverage: all ## write to cases/COVERAGE.md which cases check which clause
	$(BUILD)/shmcheck coverage --markdown >$(BUILD)/COVERAGE.md || [ $$? -eq 1 ]
	mv $(BUILD)/COVERAGE.md cases

lint: ## clang-format, clang-tidy, cppcheck, shellcheck
	ci/lint

format: ## lay the sources out
	clang-format -i $(shell git ls-files '*.c' '*.h')

BENCHES = $(patsubst %,$(BUILD)/bench-%,cost_per_case fault_cost judge_cost kernel_cost libfiu_cost sweep_cost)
$(BENCHES): $(BUILD)/bench-%: $(BUILD)/tests/ci/bench/%.o $(BUILD)/tests/ci/bench/timing.o $(TOOL_PARTS)
	$(CC) $(CFLAGS) $(SANITIZER) $(LDFLAGS) $^ -o $@ $(TOOL_LIBRARIES) -pthread

bench: all $(BENCHES) ## what a case, judging 100 records, a call under each back end and a sweep cost over a floor
	$(BUILD)/bench-cost_per_case $(BUILD)/shmcheck-agent-static
	$(BUILD)/bench-judge_cost $(BUILD)/shmcheck
	$(BUILD)/bench-fault_cost
	$(BUILD)/bench-libfiu_cost
	$(BUILD)/bench-kernel_cost
	ci/bench/matrix_paint $(BUILD)
	$(CC) -g -o $(BUILD)/bench-program ci/bench/sweep_program.c
	$(CC) -g -o $(BUILD)/bench-tutorial ci/wrappers/tutorial-c/tutorial.c
	$(BUILD)/bench-sweep_cost $(BUILD)/shmcheck $(BUILD)/bench-program $(BUILD)/bench-tutorial

FUZZ_SECONDS ?= 60
VALUES = $(addprefix harness/judge/,arena.c value.c value_reader.c)
$(BUILD)/fuzz-record-reader: ci/fuzz/record_reader_fuzz.c $(addprefix harness/judge/,record_reader.c told_steps.c) $(VALUES)
	@mkdir -p $(@D)
	clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -D_GNU_SOURCE -Iharness/judge $^ -o $@ -ljansson -lunistring -lz

$(BUILD)/fuzz-value-reader: ci/fuzz/value_reader_fuzz.c $(VALUES)
	@mkdir -p $(@D)
	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iharness/judge $^ -o $@ -ljansson -lunistring

$(BUILD)/fuzz-fault-plan: ci/fuzz/fault_plan_fuzz.c $(wildcard harness/inject/fault_*.c) harness/inject/name_glob.c
	@mkdir -p $(@D)
	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iharness/inject $^ -o $@

fuzz: all $(BUILD)/fuzz-record-reader $(BUILD)/fuzz-value-reader $(BUILD)/fuzz-fault-plan ## feed the readers with what nobody would write
	ci/fuzz/run $(BUILD) $(FUZZ_SECONDS)

install: all ## into $(prefix), or below $(DESTDIR)
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(libdir)/cases/profiles $(DESTDIR)$(libdir)/ci/targets $(DESTDIR)$(libdir)/harness/agent
	install $(BUILD)/shmcheck $(DESTDIR)$(prefix)/bin
	install $(BUILD)/shmcheck-agent $(BUILD)/shmcheck-agent-static $(BUILD)/libshmmutant.so $(DESTDIR)$(libdir)
	install -d $(DESTDIR)$(prefix)/include $(DESTDIR)$(prefix)/lib/pkgconfig
	install -m 644 fakes/fault/shmfault.h $(DESTDIR)$(prefix)/include
	install $(BUILD)/libshmfault.so $(DESTDIR)$(prefix)/lib
	ln -sf $(prefix)/lib/libshmfault.so $(DESTDIR)$(libdir)
	sed 's|@prefix@|$(prefix)|; s|@includedir@|$${prefix}/include|; s|@libdir@|$${prefix}/lib|; s|@version@|$(version)|' fakes/fault/shmfault.pc.in >$(DESTDIR)$(prefix)/lib/pkgconfig/shmfault.pc
	install -m 644 cases/*.c cases/*.h cases/*.txt $(DESTDIR)$(libdir)/cases
	install -m 644 cases/profiles/*.json $(DESTDIR)$(libdir)/cases/profiles
	install -m 644 harness/agent/*.[ch] $(DESTDIR)$(libdir)/harness/agent
	install ci/target $(DESTDIR)$(libdir)/ci
	install -m 644 ci/targets/* $(DESTDIR)$(libdir)/ci/targets
	install -m 644 reports/schema.json reports/diff_schema.json reports/matrix_schema.json $(DESTDIR)$(libdir)

clean: ## remove the build folder
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

-include $(AGENT_OBJECTS:.o=.d) $(TEST_AGENT_OBJECTS:.o=.d) $(TOOL_OBJECTS:.o=.d) $(MUTANT_OBJECTS:.o=.d) $(FAULT_OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(wildcard $(BUILD)/tests/ci/bench/*.d)
