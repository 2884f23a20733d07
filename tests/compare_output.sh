#!/bin/sh
# Compares what a program prints with a file:
#
#   compare_output.sh [--update] FILE PROGRAM [ARGUMENT...]
#
# Every character must be the same, with exceptions for what depends on the machine's mathematical
# library or its speed: two numbers may be up to 1e-12 apart; a number before a unit of time (ns, us,
# ms, s), before "evaluations", "digits" or "ulp" may be any, and so may error bars, which have one
# digit and a negative exponent (3e-11).
# --update writes the file instead, unless it would do as it is.
set -eu
update=
if [ "$1" = --update ]; then
  update=1
  shift
fi
expected=$1
shift
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
status=0
"$@" >"$printed" || status=$?
if [ "$status" != 0 ]; then
  cat "$printed"
  echo "exit status $status: $*" >&2
  exit 1
fi

same() {
  cmp -s "$expected" "$printed" && return
  awk '
    # Cuts the next number off the front of `rest`: leaves what stands before it in `before`.
    function next_number(  number) {
      if (!match(rest, /-?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?/)) {
        before = rest
        rest = ""
        return ""
      }
      before = substr(rest, 1, RSTART - 1)
      number = substr(rest, RSTART, RLENGTH)
      rest = substr(rest, RSTART + RLENGTH)
      return number
    }
    function alike(a, b, after,  apart) {
      if (a == b) return 1
      if (a == "" || b == "") return 0
      if (after ~ /^ (ns|us|ms|s|evaluations|digits|ulp)($|[^a-z])/) return 1
      if (a ~ /^[0-9]e-[0-9]+$/ && b ~ /^[0-9]e-[0-9]+$/) return 1
      apart = a - b
      return apart != 0 && apart <= 1e-12 && apart >= -1e-12
    }
    NR == FNR {
      wanted[NR] = $0
      lines = NR
      next
    }
    {
      if (FNR > lines) exit 1
      left = wanted[FNR]
      right = $0
      while (left != "" || right != "") {
        rest = left; a = next_number(); left = rest; left_before = before
        rest = right; b = next_number(); right = rest
        if (left_before "" != before "" || !alike(a, b, left)) exit 1
      }
      seen = FNR
    }
    END { if (seen != lines) exit 1 }
  ' "$expected" "$printed"
}

if same; then
  exit 0
elif [ -n "$update" ]; then
  cat "$printed" >"$expected"
else
  diff -u --label "$expected" --label "printed by $*" "$expected" "$printed"
fi
