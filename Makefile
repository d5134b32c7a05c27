# SPDX-License-Identifier: Apache-2.0
# Each target is one script; BUILD names the build directory (its relatives get a suffix).

BUILD ?= build

.PHONY: all build demo test lint bench clean install-deps

all: build

build:
	scripts/install_deps.sh build
	scripts/build.sh $(BUILD)

demo:
	scripts/install_deps.sh build demo
	scripts/build.sh $(BUILD)
	tests/demo/demo.sh $(BUILD)
	tests/demo/demo_http.sh $(BUILD)
	tests/demo/demo_xds.sh $(BUILD)

test:
	scripts/install_deps.sh build demo test
	scripts/test.sh $(BUILD)

lint:
	scripts/install_deps.sh build lint
	scripts/lint.sh $(BUILD)

bench: build
	$(BUILD)/perf/lpm_bench
	$(BUILD)/perf/http1_bench
	$(BUILD)/perf/route_bench
	$(BUILD)/perf/forward_bench --no-huge
	$(BUILD)/perf/http_bench --no-huge --quick

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-lint-gcc $(BUILD)-lint-clang

install-deps:
	scripts/install_deps.sh build demo test lint
