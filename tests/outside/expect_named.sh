#!/bin/sh
# expect_named.sh PROGRAM SOURCE SUMMARY: of the program's two gradient checks one passes, and the
# other fails and says which op is wrong, on which line of the source, and in what way.
set -eu
program=$1
source=$2
summary=$3
line=$(grep -n 'the line to be named' "$source" | cut -d: -f1)
status=0
printed=$("$program" 2>&1) || status=$?
printf '%s\n' "$printed"
complain() {
  echo "$program: $1" >&2
  exit 1
}
[ "$status" != 0 ] || complain "did not fail"
for text in wrong_square "$(basename "$source"):$line" sign "$summary"; do
  case $printed in
    *"$text"*) ;;
    *) complain "did not print '$text'" ;;
  esac
done
