#!/bin/sh
# Builds the classic three-layer network and runs it: sh examples/run.sh [ARGUMENT...]
# Installs what is missing. Only the program writes to the standard output.
. "$(dirname "$0")/../.ci/common.sh"
need g++ make cmake libboost1.81-dev libboost-program-options1.81-dev libfmt-dev
# A tree that also has the tests will do.
[ -f "$root/build/cmake_install.cmake" ] || configure build TAPEGRAD_TESTS=OFF
build build three_layer_network
"$root/build/examples/three_layer_network" "$@" || fail "three_layer_network failed" $?
