#!/bin/sh
# check.sh FILE COMPILER [OPTION...]: the file compiles; with its mistake it does not, and is told why
set -eu
file=$1
shift
expected=$(sed -n '1s|^// expect: ||p' "$file")
[ -n "$expected" ] || { echo "$file:1: the first line must be // expect: TEXT" >&2; exit 1; }
grep -q '^#ifdef MISTAKE$' "$file" || { echo "$file: there is no #ifdef MISTAKE" >&2; exit 1; }

# In C, so that the compiler's quotes are plain.
LC_ALL=C
export LC_ALL
"$@" "$file" || { echo "$file: does not compile even without its mistake" >&2; exit 1; }
if message=$("$@" -DMISTAKE "$file" 2>&1); then
  echo "$file: the mistake compiles" >&2
  exit 1
fi
case $message in
  *"$expected"*) ;;
  *)
    printf '%s\n' "$message"
    echo "$file: the compiler refuses, but does not say: $expected" >&2
    exit 1
    ;;
esac
