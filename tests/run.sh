#!/bin/sh
# Builds everything and runs all tests: sh tests/run.sh [ARGUMENT OF CTEST...]
# Installs what is missing.
. "$(dirname "$0")/../.ci/common.sh"
need g++ make cmake pkg-config \
  libboost1.81-dev libboost-program-options1.81-dev libboost-test1.81-dev libfmt-dev
configure build TAPEGRAD_TESTS=ON
build build
run_tests build "$@"
