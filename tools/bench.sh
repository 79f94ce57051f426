#!/usr/bin/env bash
# The server's figures: each workload RUNS times, the floor (a relay that
# stores nothing) and KamaChat in turn, a fresh server each time.
# Prints the median of every figure. Only ratios within one run mean something.
#
#   RUNS=3 SECONDS_EACH=10 DB=sqlite tools/bench.sh [start|direct|open|room100|room1000|idle ...]
#
# DB is "sqlite" or the mysql:// address of a database for this alone; what an
# earlier run left there stays.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-3} each=${SECONDS_EACH:-10} addr=${BENCH_ADDR:-127.0.0.1:18099} db=${DB:-sqlite}
work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT

declare -A flags=(
  [start]='none: how long until the port is open, and the memory then'
  [direct]='--workload direct --pairs 200 --inflight 8'
  [open]='--workload direct --pairs 200 --rate 400'
  [room100]='--workload fanout --members 100 --senders 100 --inflight 8'
  [room1000]='--workload fanout --members 1000 --senders 1 --inflight 8'
  [idle]='--workload idle --members 5000'
)
declare -A connections=([direct]=400 [open]=400 [room100]=100 [room1000]=1000)
order=("$@")
[ ${#order[@]} -gt 0 ] || order=(start direct open room100 room1000 idle)

ticks=$(getconf CLK_TCK)
cpu() { awk -v t="$ticks" '{ sub(/.*\) /, ""); print ($12 + $13) / t }' "/proc/$1/stat"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
millis() { echo $(($(date +%s%N) / 1000000)); }
field() { awk -F '[:,]' -v k="\"$2\"" '{ gsub(/ /, "", $1) } $1 == k { print $2 + 0; exit }' "$1"; }
p99of() { awk -F '[:,]' -v k="\"$2\"" '{ gsub(/ /, "", $1) } $1 == k { in_it = 1 } in_it && $1 == "\"p99\"" { print $2 + 0; exit }' "$1"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

start() { # a fresh server with 1,000 accounts; sets server and users
  if (exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}") 2>/dev/null; then
    echo "$addr is in use: choose another with BENCH_ADDR" >&2
    exit 1
  fi
  rm -rf "$work/data"
  mkdir "$work/data"
  users="$work/users.csv"
  where=(--data "$work/data")
  [ "$db" = sqlite ] || where+=(--db "$db")
  local stamp
  stamp=$(date +%s)
  { echo username,nickname; for i in {1..1000}; do echo "bench${stamp}x$i,Bench $i"; done; } >"$work/people.csv"
  bin/kamachat migrate "${where[@]}" >"$work/log" 2>&1
  bin/kamachat admin people import "${where[@]}" "$work/people.csv" >"$users" 2>>"$work/log"
  local began
  began=$(millis)
  bin/kamachat serve --addr "$addr" --rate-limit off "${where[@]}" >"$work/log" 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/${addr%:*}/${addr##*:}") 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.005
  done
  opened=$(($(millis) - began))
}

report() { # name: lines of "what value" on stdin, gathered in a file per what
  while read -r what value; do echo "$value" >>"$work/$1.$what"; done
}

for name in "${order[@]}"; do
  [ -n "${flags[$name]:-}" ] || { echo "no workload $name: want ${!flags[*]}"; exit 2; }
  read -r -a args <<<"${flags[$name]}"
  for ((i = 0; i < runs; i++)); do
    if [ "$name" = start ]; then
      start
      report "$name.kamachat" <<<"start_ms $opened
rss_at_start_kB $(rss "$server")"
      stop
      continue
    fi
    if [ "$name" != idle ]; then
      bin/kamachat bench --floor --json --duration "${each}s" "${args[@]}" >"$work/out" 2>"$work/err" || { cat "$work/err"; exit 1; }
      report "$name.floor" <<<"messages_per_s $(field "$work/out" messages_per_second)
deliveries_per_s $(field "$work/out" deliveries_per_second)
p99_ms $(p99of "$work/out" acknowledged)
cpu_s $(field "$work/out" generator_cpu_seconds)
copies $(field "$work/out" delivered_copies)"
    fi
    start
    if [ "$name" = idle ]; then
      small=$(rss "$server")
      bin/kamachat bench --url "http://$addr" --users-file "$users" --json --duration "${each}s" "${args[@]}" >"$work/out" 2>"$work/err" &
      generator=$!
      sleep "$((each > 4 ? each - 1 : each))"
      big=$(rss "$server")
      wait "$generator" || { cat "$work/out" "$work/err"; exit 1; }
      report "$name.kamachat" <<<"kB_per_connection $(((big - small) / $(field "$work/out" connections)))"
    else
      bin/kamachat bench --url "http://$addr" --users-file "$users" --json --duration "${each}s" "${args[@]}" >"$work/out" 2>"$work/err" &
      generator=$!
      # The server's CPU time counts from when everybody is connected.
      while kill -0 "$generator" 2>/dev/null && [ "$(ls "/proc/$server/fd" | wc -l)" -lt "${connections[$name]}" ]; do sleep 0.02; done
      before=$(cpu "$server")
      wait "$generator" || { cat "$work/out" "$work/err" "$work/log"; exit 1; }
      report "$name.kamachat" <<<"messages_per_s $(field "$work/out" messages_per_second)
deliveries_per_s $(field "$work/out" deliveries_per_second)
p99_ms $(p99of "$work/out" acknowledged)
cpu_s $(awk -v a="$before" -v b="$(cpu "$server")" -v g="$(field "$work/out" generator_cpu_seconds)" 'BEGIN { print b - a + g }')
copies $(field "$work/out" delivered_copies)"
    fi
    stop
  done
  for side in floor kamachat; do
    compgen -G "$work/$name.$side.*" >/dev/null || continue
    printf '%-9s %-9s' "$name" "$side"
    for f in "$work/$name.$side".*; do
      [ -e "$f" ] || { printf ' -'; continue; }
      what=${f##*."$side".}
      case $what in cpu_s | copies) continue ;; esac
      printf '  %s %s' "$what" "$(median <"$f")"
    done
    if [ -e "$work/$name.$side.cpu_s" ]; then
      printf '  CPU_s_per_1000_copies %s' "$(paste "$work/$name.$side.cpu_s" "$work/$name.$side.copies" | awk '{ print $2 ? $1 / $2 * 1000 : 0 }' | median)"
    fi
    echo
  done
done
