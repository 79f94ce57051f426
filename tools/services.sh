#!/usr/bin/env bash
# What the tests need besides Go, for Debian and its kin:
#
#   tools/services.sh         install (as root, what is missing) and start everything
#   tools/services.sh check   only say what is there and what is not
#
# Run it as often as you like. Each service is three functions: have_NAME
# (is it installed?), install_NAME, and, where it runs in the background,
# up_NAME (does it answer?) and start_NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

# node runs the WebAssembly tests, chromium the e2e tests; CJK text needs a font.
# MariaDB, Redis and Kafka need only be installed: each test starts its own (server/servicetest).
services=(make node chromium cjkfont mariadb redis java kafka)

need() { echo "  $1: missing. $2"; missing=1; }
apt() {
  [ -n "${updated:-}" ] || { apt-get update -qq; updated=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

have_make() { command -v make >/dev/null; }
install_make() { apt make; }

have_node() { command -v node >/dev/null; }
install_node() { apt nodejs; }

have_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }
install_chromium() { apt chromium; }

have_cjkfont() { compgen -G '/usr/share/fonts/opentype/noto/Noto*CJK*' >/dev/null || fc-list :lang=zh 2>/dev/null | grep -q .; }
install_cjkfont() { apt fonts-noto-cjk; }

have_mariadb() { { command -v mariadbd || [ -x /usr/sbin/mariadbd ]; } >/dev/null && command -v mariadb-install-db >/dev/null; }
install_mariadb() { apt mariadb-server; stop_system mariadb; }

have_redis() { command -v redis-server >/dev/null; }
install_redis() { apt redis-server; stop_system redis-server; }

have_java() { command -v java >/dev/null; }
install_java() { apt openjdk-17-jre-headless || apt default-jre-headless; }

# Kafka is no Debian package: Maven fetches its jars, as tools/kafka/pom.xml says.
have_kafka() { compgen -G 'tools/kafka/libs/kafka_2.13-*.jar' >/dev/null; }
install_kafka() {
  command -v mvn >/dev/null || apt maven
  rm -rf tools/kafka/libs
  mvn -q -B -f tools/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/tools/kafka/libs.part"
  mv tools/kafka/libs.part tools/kafka/libs
}

# A package may start its service at once; nobody here uses that one.
stop_system() { command -v systemctl >/dev/null && systemctl disable --now "$1" >/dev/null 2>&1 || true; }

missing=
for s in "${services[@]}"; do
  if ! "have_$s"; then
    if [ "${1:-}" = check ]; then
      need "$s" "tools/services.sh installs it"
      continue
    elif ! { [ "$s" = kafka ] && command -v mvn >/dev/null; } && { [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; }; then
      need "$s" "Install it, or run tools/services.sh as root on a Debian system."
      continue
    fi
    echo "  $s: installing"
    "install_$s"
  fi
  if declare -F "up_$s" >/dev/null && ! "up_$s"; then
    if [ "${1:-}" = check ]; then
      need "$s" "It is installed, but not running; tools/services.sh starts it"
      continue
    fi
    echo "  $s: starting"
    "start_$s"
    for _ in {1..60}; do "up_$s" && break || sleep 0.5; done
    "up_$s" || { need "$s" "It does not answer."; continue; }
  fi
  echo "  $s: there"
done
[ -z "$missing" ]
