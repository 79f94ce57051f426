#!/usr/bin/env bash
# The server's figures (docs/performance.md): each row RUNS times, the floor (a
# relay that stores nothing) and KamaChat in turn, a fresh server and database
# each time; medians. Only ratios within one run mean something.
#
#   RUNS=3 SECONDS_EACH=10 DB=sqlite tools/bench.sh [ROW ...]
#
# Rows: start direct open room100 room100classic room1000 deaf idle storm restart
# crash history size soak; without names all but size and soak. DB is sqlite or
# mariadb: a private one is started. CROWD (5000) is how many connections idle
# and the storms have. size has SIZE_MESSAGES (10000000) in SIZE_DIR (bin/size-…,
# kept) and writes SIZE_RATE (5000) a second beside history; soak takes SOAK (1h)
# at SOAK_RATE (500), after a minute to get warm (SOAK_WARM). It fails when at the
# end more memory, files or goroutines are in use than after that minute; deaf
# fails when one who reads nothing costs the others more than as long again.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-3} each=${SECONDS_EACH:-10} db=${DB:-sqlite} addr=${BENCH_ADDR:-127.0.0.1:18099} debug=${BENCH_DEBUG_ADDR:-127.0.0.1:18098}
messages=${SIZE_MESSAGES:-10000000} sizedir=$PWD/${SIZE_DIR:-bin/size-$db-${SIZE_MESSAGES:-10000000}}
crowd=${CROWD:-5000}
work=$(mktemp -d) kama=${KAMACHAT:-bin/kamachat}
server='' maria='' failed=''

# --- processes ---

free() { ! (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }
await() { # ADDRESS PID LOG: until something listens
  while free "$1"; do
    kill -0 "$2" 2>/dev/null || { cat "$3" >&2; exit 1; }
    sleep 0.005
  done
}
end() { [ -z "$1" ] || { kill "$1" 2>/dev/null && wait "$1" 2>/dev/null || true; }; }
stop() { end "$server"; server=''; }
trap 'stop; end "$maria"; rm -rf "$work"' EXIT

start_mariadb() { # DIR: a private MariaDB with its files there; its own tables are made once
  [ -z "$maria" ] || return 0
  local port=18306
  until free "127.0.0.1:$port"; do port=$((port + 1)); done
  mysql="mysql://kama:kama@127.0.0.1:$port"
  mkdir -p "$1"
  [ -d "$1/mysql" ] || mariadb-install-db --no-defaults --datadir="$1" --auth-root-authentication-method=normal --skip-test-db \
    --user="$(id -un)" >"$work/maria.log" 2>&1
  printf '%s\n' "CREATE USER IF NOT EXISTS 'kama'@'%' IDENTIFIED BY 'kama';" "GRANT ALL ON *.* TO 'kama'@'%';" >"$work/init.sql"
  "$(command -v mariadbd || echo /usr/sbin/mariadbd)" --no-defaults --user="$(id -un)" --datadir="$1" --socket="$work/socket" --pid-file="$work/pid" \
    --bind-address=127.0.0.1 --port="$port" --init-file="$work/init.sql" --skip-name-resolve --innodb-flush-log-at-trx-commit=1 \
    --innodb-buffer-pool-size=512M --performance-schema=OFF --max-connections=200 >"$work/maria.log" 2>&1 &
  maria=$!
  await "127.0.0.1:$port" "$maria" "$work/maria.log"
}
sql() { mariadb --no-defaults --socket="$work/socket" -ukama -pkama -e "$1"; }

fresh() { # PEOPLE: an empty database with so many accounts; sets where and users
  rm -rf "$work/data"
  mkdir "$work/data"
  where=(--data "$work/data") users=$work/users.csv
  if [ "$db" = mariadb ]; then
    start_mariadb "$work/mariadb"
    sql 'DROP DATABASE IF EXISTS bench; CREATE DATABASE bench'
    where+=(--db "$mysql/bench")
  fi
  { echo username,nickname; seq 1 "$1" | sed 's/.*/bench&,Bench &/'; } >"$work/people.csv"
  $kama migrate "${where[@]}" >"$work/log" 2>&1
  $kama admin people import "${where[@]}" "$work/people.csv" >"$users" 2>>"$work/log" || { cat "$work/log" >&2; exit 1; }
}

serve() { # FLOOR|KAMACHAT FLAGS…: starts it; sets server and opened, the ms until its port was open
  free "$addr" || { echo "$addr is in use: choose another with BENCH_ADDR" >&2; exit 1; }
  local began
  began=$(date +%s%N)
  if [ "$1" = floor ]; then
    $kama bench --floor-serve --url "http://$addr" >"$work/log" 2>&1 &
  else
    $kama serve --addr "$addr" --rate-limit off "${where[@]}" "${@:2}" >"$work/log" 2>&1 &
  fi
  server=$!
  await "$addr" "$server" "$work/log"
  opened=$((($(date +%s%N) - began) / 1000000))
}

# --- measuring ---

load() { # OUT ARGS…: the generator against the server that runs
  local out=$1
  shift
  $kama bench --url "http://$addr" --server-pid "$server${maria:+,$maria}" --json --duration "${each}s" "$@" >"$out" 2>"$out.err" ||
    { cat "$out" "$out.err" "$work/log" >&2; exit 1; }
}
field() { # FILE PATH: a number of the report, as in acknowledged.p99
  awk -v want="$2" '
    /[{]$/ { sub(/^ *"?/, ""); sub(/"?:? *[{]$/, ""); depth++; name[depth] = $0; next }
    /^ *[}]/ { depth--; next }
    { path = ""; for (i = 2; i <= depth; i++) path = path name[i] ".";
      split($0, kv, /": /); sub(/^ *"/, "", kv[1])
      if (path kv[1] == want) { print kv[2] + 0; exit } }' "$1"
}
note() { echo "$3" >>"$work/$1.$2"; } # ROW.SIDE WHAT VALUE
take() { # ROW.SIDE REPORT PATH…: gathers these figures
  local row=$1 report=$2 what value
  shift 2
  for what in "$@"; do
    value=$(field "$report" "$what")
    [ -z "$value" ] || note "$row" "$what" "$value"
  done
}
wrong() { echo "WRONG: $*" >&2; failed=1; }
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; } # A B: whether it is
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
show() { # ROW: the medians of both sides and, where both have a figure, KamaChat's part of the other's
  local side other f what
  for side in floor alone kamachat; do
    for f in "$work/$1.$side".*; do
      [ -e "$f" ] || continue
      what=${f#"$work/$1.$side."}
      printf '%-15s %-9s %-34s %12s' "$1" "$side" "$what" "$(median "$f")"
      for other in floor alone; do
        [ "$side" != kamachat ] || [ ! -e "$work/$1.$other.$what" ] ||
          awk -v a="$(median "$f")" -v b="$(median "$work/$1.$other.$what")" -v of="$other" 'BEGIN { if (b) printf "   %.2f of %s", a / b, of }'
      done
      echo
    done
  done
}

# --- rows ---

declare -A flags=(
  [direct]='--workload direct --pairs 200 --inflight 8'
  [open]='--workload direct --pairs 200 --rate 400'
  [room100]='--workload fanout --members 100 --inflight 8'
  [room100classic]='--workload fanout --members 100 --inflight 8 --dialect classic'
  [room1000]='--workload fanout --members 1000 --senders 1 --inflight 8'
)
figures=(messages_per_second deliveries_per_second acknowledged.p50 acknowledged.p99
  cpu_seconds_per_1000_messages cpu_seconds_per_1000_deliveries generator_cpu_seconds server.cpu_seconds server.max.rss_kb)

row_load() { # ROW: the floor and KamaChat in turn
  local args
  read -r -a args <<<"${flags[$1]}"
  serve floor
  load "$work/out" "${args[@]}"
  take "$1.floor" "$work/out" "${figures[@]}"
  stop
  fresh 1000
  serve kamachat
  load "$work/out" --users-file "$users" "${args[@]}"
  take "$1.kamachat" "$work/out" "${figures[@]}"
  stop
}
row_start() {
  fresh 1000
  serve kamachat
  note start.kamachat open_ms "$opened"
  note start.kamachat rss_kb "$(awk '/^VmRSS/ { print $2 }' "/proc/$server/status")"
  stop
}
row_deaf() { # what 100 members wait who read, alone and beside one who reads nothing
  local side n
  for side in alone kamachat; do
    [ $side = alone ] && n=0 || n=1
    fresh 1000
    serve kamachat
    load "$work/out" --users-file "$users" --workload fanout --members 100 --deaf $n --rate "${DEAF_RATE:-2000}" --duration "${DEAF:-20s}"
    take "deaf.$side" "$work/out" delivered.p50 delivered.p99 acknowledged.p99 deliveries_per_second server.cpu_seconds cut
    stop
  done
}
check_deaf() {
  local alone beside
  alone=$(median "$work/deaf.alone.delivered.p99") beside=$(median "$work/deaf.kamachat.delivered.p99")
  ! above "$beside" "$(awk -v a="$alone" 'BEGIN { print 2 * a }')" || wrong "beside one who reads nothing the p99 is $beside ms, alone $alone ms"
}
row_idle() {
  local side
  for side in floor kamachat; do
    [ $side = floor ] && who=() || { fresh 1000; who=(--users-file "$users"); }
    serve $side
    load "$work/out" "${who[@]}" --workload idle --members "$crowd"
    take "idle.$side" "$work/out" server.rss_kb_per_connection welcome.p50 welcome.p99
    stop
  done
}
storm=(storm.all_welcomed_seconds storm.all_caught_up_seconds storm.back.p99 welcome.p99 storm.health.p50 storm.health.p99
  storm.health.max storm.health_failures storm.attempts storm.missing server.cpu_seconds)
row_storm() { # all connections are cut at once
  fresh "$crowd"
  serve kamachat
  load "$work/out" --users-file "$users" --workload storm --members "$crowd" --duration 120s
  take storm.kamachat "$work/out" "${storm[@]}"
  stop
}
ended() { # ROW HOW: the server ends by that signal under them all and is started again
  fresh "$crowd"
  serve kamachat
  $kama bench --url "http://$addr" --server-pid "$server" --json --duration 120s --users-file "$users" --workload storm --members "$crowd" \
    --cut "$2" >"$work/out" 2>"$work/err" &
  local generator=$!
  wait -n "$server" $generator 2>/dev/null || true # the server, unless something is wrong
  kill -0 $generator 2>/dev/null || { cat "$work/out" "$work/err" "$work/log" >&2; exit 1; }
  serve kamachat
  wait $generator || { cat "$work/out" "$work/err" "$work/log" >&2; exit 1; }
  take "$1.kamachat" "$work/out" "${storm[@]}"
  note "$1.kamachat" open_ms "$opened"
  stop
}
row_restart() { ended restart term; }
row_crash() { ended crash kill; }
row_history() { # as many pages as come, of conversations that one direct run has written
  fresh 1000
  serve kamachat
  load "$work/out" --users-file "$users" --workload direct --pairs 16 --inflight 8
  load "$work/out" --users-file "$users" --workload history --readers 16 --inflight 1
  take history.kamachat "$work/out" pages_per_second page.p50 page.p99 server.cpu_seconds
  stop
}
row_size() { # on top of many messages
  mkdir -p "$sizedir"
  users=$sizedir/users.csv where=(--data "$sizedir")
  if [ "$db" = mariadb ]; then
    start_mariadb "$sizedir/mariadb"
    [ -e "$users" ] || sql 'DROP DATABASE IF EXISTS size; CREATE DATABASE size'
    where+=(--db "$mysql/size")
  elif [ ! -e "$users" ]; then
    rm -f "$sizedir"/kamachat.db*
  fi
  local dsn="sqlite:$sizedir/kamachat.db"
  [ "$db" = sqlite ] || dsn=$mysql/size
  [ -e "$users" ] || go run ./tools/fill -db "$dsn" -users "$users" -messages "$messages"
  head -2 "$users" >"$work/busiest.csv"
  serve kamachat
  load "$work/out" --users-file "$users" --workload direct --pairs 200 --inflight 8
  take size.kamachat "$work/out" messages_per_second cpu_seconds_per_1000_messages server.max.rss_kb
  load "$work/out" --users-file "$users" --workload direct --pairs 200 --rate "${SIZE_RATE:-5000}" --pages 400 --readers 4
  take size.kamachat "$work/out" acknowledged.p50 acknowledged.p99 pages_per_second page.p50 page.p99 late
  load "$work/out" --users-file "$work/busiest.csv" --workload idle --members 50 --dialers 1 --duration 1s
  take size.kamachat "$work/out" welcome.p50 welcome.p99
  stop
}
row_soak() { # memory, files and goroutines stay where they are
  fresh 1000
  serve kamachat --debug-addr "$debug"
  local args=(--users-file "$users" --workload direct --pairs 200 --rate "${SOAK_RATE:-500}" --sample 10s --metrics "http://$debug/metrics")
  load "$work/out" "${args[@]}" --duration "${SOAK_WARM:-60s}"
  load "$work/out" "${args[@]}" --duration "${SOAK:-1h}"
  take soak.kamachat "$work/out" seconds messages_per_second acknowledged.p99 server.{first,last,max}.{rss_kb,heap_kb,goroutines,files}
  stop
}
flat() { # WHAT TIMES MORE: the last sample of it is at most so much above the first
  local first=$work/soak.kamachat.server.first.$1 last=$work/soak.kamachat.server.last.$1
  [ -e "$first" ] && [ -e "$last" ] || { wrong "$1 was not measured"; return 0; }
  first=$(median "$first") last=$(median "$last")
  ! above "$last" "$(awk -v f="$first" -v t="$2" -v m="$3" 'BEGIN { print f * t + m }')" || wrong "$1 grew from $first to $last"
}
check_soak() {
  flat rss_kb 1.3 20000
  flat heap_kb 1.5 20000
  flat goroutines 1 50
  flat files 1 50
}

order=("$@")
[ ${#order[@]} -gt 0 ] || order=(start direct open room100 room100classic room1000 deaf idle storm restart crash history)
for name in "${order[@]}"; do
  row=row_$name
  [ -z "${flags[$name]:-}" ] || row="row_load $name"
  declare -F "${row% *}" >/dev/null || { echo "there is no row $name" >&2; exit 2; }
  times=$runs
  case $name in size | soak) times=1 ;; esac
  for ((i = 0; i < times; i++)); do $row; done
  show "$name"
  ! declare -F "check_$name" >/dev/null || "check_$name"
done
[ -z "$failed" ]
