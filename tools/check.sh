#!/usr/bin/env bash
# What a change must pass; `make check` runs it, and `make lint` what is there
# before the tests ("tools/check.sh lint"). Each step names itself; the first that
# fails ends the run. FUZZTIME (10s) is the time per fuzz target.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step gofmt
unformatted=$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 -r gofmt -l | grep -v '_templ\.go$' || true)
[ -z "$unformatted" ] || { echo "not formatted (gofmt -w):"; echo "$unformatted"; exit 1; }

step templ fmt
mapfile -t templs < <(git ls-files --cached --others --exclude-standard '*.templ')
if [ ${#templs[@]} -gt 0 ]; then
  for f in "${templs[@]}"; do
    go tool templ fmt -stdout "$f" | cmp -s - "$f" || { echo "not formatted (go tool templ fmt): $f"; exit 1; }
  done
fi

step vet
go vet ./...
GOOS=js GOARCH=wasm go vet ./ui/... ./shared/...

step staticcheck
staticcheck=$(go tool -n staticcheck)
"$staticcheck" ./...
GOOS=js GOARCH=wasm "$staticcheck" ./ui/... ./shared/...

[ "${1:-}" != lint ] || exit 0

step "tests, with the race detector"
# shellcheck disable=SC2046
go test -race $(go list ./... | grep -v '/e2e$')

step "fuzz, ${FUZZTIME:=10s} each"
while IFS=: read -r file line; do
  name=${line#func }
  name=${name%%(*}
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$FUZZTIME" "./$(dirname "$file")"
done < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9_]*\(' -- '*_test.go')

step govulncheck
if out=$(go tool govulncheck ./... 2>&1); then
  echo "$out"
elif grep -q 'fetching vulnerabilities' <<<"$out"; then
  echo "SKIP: the vulnerability database (vuln.go.dev) can't be reached from here"
else
  echo "$out"
  exit 1
fi
echo
echo "all fine"
