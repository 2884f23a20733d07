#!/bin/sh
# A session with explain, for session.txt: sh session.sh PROGRAM. Files that it reads and writes, and
# all that it refuses. Fails if something is refused that should not be, or the other way round, or
# if a refusal prints to the standard output or has a status other than 2.
set -eu
program=$(realpath "$1")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

run() {
  printf '$ explain'
  for argument; do
    case $argument in
      *[\;\ \[]*) printf " '%s'" "$argument" ;;
      *) printf ' %s' "$argument" ;;
    esac
  done
  echo
  status=0
  "$program" "$@" >printed 2>complaint || status=$?
  cat printed complaint
}
accepts() {
  run "$@"
  [ "$status" = 0 ] && [ ! -s complaint ] || { echo "status $status: $*" >&2; exit 1; }
}
refuses() {
  run "$@"
  [ "$status" = 2 ] && [ ! -s printed ] || { echo "status $status, not 2, or printed something: $*" >&2; exit 1; }
}
# file NAME: from the standard input.
file() {
  cat >"$1"
  echo "$ cat $1"
  cat "$1"
}
heading() { printf '\n== %s\n\n' "$1"; }

heading "Weights of one's own"
accepts --layers 2,3,1 --write-weights w.csv
echo '$ cat w.csv'
cat w.csv
file w.csv <<'END'
# layer1.weight (2, 3): a line for each input, a column for each neuron
1, 0.5, -1

0, 0.25, 2
# layer1.bias (3)
0, 0, 1
# layer2.weight (3, 1), and its bias
1
-2
+1e-1
0.5
END
file data.csv <<'END'
0, 1
1, 1
END
accepts --layers 2,3,1 --weights w.csv --activation none --input @data.csv --target '1;0' --section forward
accepts --layers 2,3,1 --weights w.csv --write-weights -
accepts --network worked --write-weights -

heading "Output"
accepts --network xor --weight hidden.weight --index 0,0 --section local --output out.txt
echo '$ head -n 1 out.txt'
head -n 1 out.txt
echo old >out.txt
refuses --network xor --weight hidden.weight --index 0,9 --output out.txt
refuses --network xor --section love --output out.txt
echo '$ cat out.txt'
cat out.txt
refuses --network xor --output .
refuses --network xor --output nowhere/out.txt
refuses --network xor --output /dev/full
refuses --network xor --write-weights /dev/full
accepts --network worked --weight w5 --section update --learning-rate 0.5 --output /dev/stdout
accepts --network worked --format svg --output out.txt
echo '$ ls'
ls -I printed -I complaint

heading "Which network"
refuses
refuses --network tutorial
refuses --network xor --layers 2,1
refuses --network xor --loss mse_loss
refuses --network worked --seed 2
refuses --network xor --seed -1
refuses --layers 2 --input 1,2 --target 1
refuses --layers 2,x,1 --input 1,2 --target 1
refuses --layers 2,0,1 --input 1,2 --target 1
refuses --layers 2,3,1 --input 1,2
refuses --layers 2,3,1 --activation tanh,swish --input 1,2 --target 1
refuses --layers 2,3,1 --activation tanh,tanh,sigmoid --input 1,2 --target 1
refuses --layers 2,3,1 --loss hinge --input 1,2 --target 1
refuses --layers 2,3,2 --activation tanh,sigmoid --loss cross_entropy --input 1,2 --target 1
refuses --layers 2,3,1 --loss cross_entropy --input 1,2 --target 0
refuses --layers 2,3,1 --activation none --loss binary_cross_entropy --weights w.csv --input 1,2 --target 0

heading "Numbers that do not fit, or are none"
refuses --layers 2,3,1 --input 1,2,3 --target 1
refuses --layers 2,3,1 --input '1,2;3' --target '1;0'
refuses --layers 2,3,1 --input 1,2 --target 1,0
refuses --layers 2,3,1 --input '1,2;3,4' --target 1
refuses --layers 2,3,1 --input '1,2;3,o' --target '1;0'
refuses --layers 2,3,1 --input 1, --target 1
refuses --layers 2,3,1 --input 1,1e999 --target 1
refuses --layers 2,3,1 --input @nowhere.csv --target 1
refuses --layers 2,3,1 --input @. --target 1
refuses --layers 2,3,2 --loss cross_entropy --input '1,2;3,4' --target '0;2'
refuses --layers 2,3,2 --loss cross_entropy --input 1,2 --target 0.5
refuses --layers 2,4,1 --weights w.csv --input 1,2 --target 1
refuses --layers 2,3,2 --weights w.csv --input 1,2 --target 1,0
refuses --layers 2,3,1,1 --weights w.csv --input 1,2 --target 1
refuses --network three-layer --weights w.csv
file w.csv <<'END'
# layer1
1
2, 3
x, 5
END
refuses --layers 1,1,1 --weights w.csv --input 1 --target 1
file w.csv <<'END'
1
2
3
4
5
END
refuses --layers 1,1,1 --weights w.csv --input 1 --target 1
file w.csv <<'END'
# nothing
END
refuses --layers 1,1,1 --weights w.csv --input 1 --target 1
refuses --network xor --weights w.csv --seed 1

heading "Which weight"
refuses --network worked --weight w55
refuses --network xor --weight hiden.weight
refuses --network worked --weight w5 --index 0,1
refuses --network worked --weight W1 --index 2,0
refuses --network worked --weight W1 --index 0
refuses --network worked --weight W1 --index a,b
refuses --network worked --weight 'W1[0,7]'
refuses --network worked --weight 'W1[0,1]' --index 0,1
refuses --network worked --index 0,1

heading "In which form"
refuses --network worked --format html
refuses --network worked --section love
refuses --network worked --section paths
refuses --network worked --weight w5 --section update
refuses --network worked --digits 18
refuses --network worked --digits many
refuses --network worked --top 0
refuses --network worked --learning-rate 0
refuses --network worked --learning-rate nan
refuses --network worked --format svg --weight w5
refuses --network worked --format dot --section paths
refuses --network worked --document
refuses --network worked --weight w5 --section forward --blanks 50
refuses --network worked --weight w5 --blanks 0
refuses --network worked --weight w5 --answers
refuses --network worked --weight w5 --blanks-seed 3
refuses --network worked --format svg --blanks 3
refuses --network worked --write-weights w.csv --weight w5
refuses --network worked --write-weights w.csv --document
refuses --network worked --wieght w5
refuses --network worked --weight
refuses --network worked --weight w5 --weight w6
refuses worked
