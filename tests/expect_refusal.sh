#!/bin/sh
# Runs a program that must refuse its arguments: expect_refusal.sh TEXT PROGRAM ARGUMENT...
# It must print nothing, complain on the standard error with TEXT in it, and exit with status 2.
set -eu
text=$1
shift
complaint=$(mktemp)
trap 'rm -f "$complaint"' EXIT
status=0
printed=$("$@" 2>"$complaint") || status=$?
if [ "$status" != 2 ] || [ -n "$printed" ] || ! grep -qF -- "$text" "$complaint"; then
  echo "status $status, not 2, or printed something, or no complaint about '$text': $*" >&2
  printf '%s\n' "$printed" >&2
  cat "$complaint" >&2
  exit 1
fi
