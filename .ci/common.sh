# What examples/run.sh, tests/run.sh and .ci/run share; they source it. Plain sh.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

# fail TEXT [STATUS]: the last line of a run that did not work
fail() {
  echo "$0: $1" >&2
  exit "${2:-1}"
}

# A package is there if it is installed, or if there is a command of its name from elsewhere.
present() {
  command -v "$1" >/dev/null 2>&1 ||
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need PACKAGE...: installs with apt what is missing
need() {
  missing=
  for package in "$@"; do
    present "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "no apt-get here; install the like of these yourself:$missing"
  as_root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing packages; run as root: apt-get install$missing"
    as_root=sudo
  fi
  echo "installing$missing" >&2
  # A list that cannot be refreshed may still be good enough; the installation will tell.
  $as_root apt-get update -qq >&2 || echo "the package lists are not refreshed" >&2
  # Other Boost versions conflict with the one we need. Not ours to remove: --no-remove says so.
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove \
    --no-install-recommends -o DPkg::Lock::Timeout=300 $missing >/dev/null ||
    fail "apt-get could not install$missing"
}

# configure TREE NAME=VALUE...: only if the tree is not configured so already
configure() {
  tree=$root/$1
  shift
  changed=
  # Written last, so that a tree where configuring failed is configured again.
  [ -f "$tree/cmake_install.cmake" ] || changed=1
  for setting in "$@"; do
    grep -qs "^${setting%%=*}:[A-Z]*=${setting#*=}\$" "$tree/CMakeCache.txt" || changed=1
    set -- "$@" "-D$setting"
    shift
  done
  [ -z "$changed" ] || cmake -S "$root" -B "$tree" "$@" >&2 ||
    fail "configuring failed; if $tree is from another time or place, delete it and try again"
}

# build TREE [TARGET...]
build() {
  tree=$root/$1
  shift
  cmake --build "$tree" -j2 ${1+--target "$@"} >&2 || fail "building failed"
}

# run_tests TREE [ARGUMENT OF CTEST...]
run_tests() {
  tree=$root/$1
  shift
  ctest --test-dir "$tree" --output-on-failure --no-tests=error --no-label-summary -j2 "$@" ||
    fail "not all tests passed"
}
