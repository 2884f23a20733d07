#!/bin/sh
# build_and_run.sh COMPILER PREFIX DIRECTORY: a consumer without CMake
set -eu
here=$(cd "$(dirname "$0")" && pwd)
description=$(find "$2" -name tapegrad.pc)
PKG_CONFIG_PATH=$(dirname "$description")
export PKG_CONFIG_PATH
library=$(pkg-config --variable=libdir tapegrad)
# shellcheck disable=SC2046
"$1" -std=c++20 -O2 -Wall -Wextra -Wshadow -Wconversion -Wold-style-cast -Werror \
  "$here/../main.cpp" "$here/../other.cpp" -o "$3/with_pkg_config" \
  $(pkg-config --cflags --libs tapegrad) -Wl,-rpath,"$library"
"$3/with_pkg_config"
