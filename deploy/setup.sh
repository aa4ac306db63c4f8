#!/usr/bin/env bash
# Installs the system packages that Countersign needs and this machine lacks: deploy/setup.sh run|test
# On Debian and Ubuntu as root or with sudo; anywhere else it says in one sentence what is missing.
set -euo pipefail

kind="${1:-run}"
export PATH="$PATH:/usr/sbin:/sbin"
missing=()

has_program() { command -v "$1" >/dev/null 2>&1; }
# The list is read once: looking for a library costs 20 ms.
libraries="$(ldconfig -p 2>/dev/null || true)"
has_library() { [[ "$libraries" == *"$1"* ]]; }
need() { # PACKAGE program|library NAME
  "has_$2" "$3" || missing+=("$1")
}

python="${PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Countersign needs Python 3.11 or newer; $python is older or missing. Name another with: make PYTHON=python3.12 …" >&2
  exit 1
fi
# Debian ships Python without what makes virtual environments.
"$python" -c 'import ensurepip, venv' 2>/dev/null \
  || missing+=("$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')")

# WeasyPrint loads Pango and HarfBuzz; the firewall connector runs git and nft, the SSH authority ssh-keygen;
# the demo verifies with openssl and pdfsig.
need libpango-1.0-0 library libpango-1.0.so.0
need libpangoft2-1.0-0 library libpangoft2-1.0.so.0
need libharfbuzz-subset0 library libharfbuzz-subset.so.0
need git program git
need openssl program openssl
need nftables program nft
need openssh-client program ssh-keygen
need poppler-utils program pdfsig

if [ "$kind" = test ]; then
  # Real servers and a real browser; setpriv of util-linux ends them with the tests.
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has_program initdb || missing+=(postgresql)
  need redis-server program redis-server
  need chromium program chromium
  need iproute2 program ip
  need util-linux program setpriv
  need openssh-server program sshd
  need ansible-core program ansible-playbook
  need conntrack program conntrack
  need slapd program slapd
  need pebble program pebble
  need softhsm2 program softhsm2-util
elif [ "$kind" != run ]; then
  echo "usage: deploy/setup.sh run|test" >&2
  exit 2
fi

[ "${#missing[@]}" -gt 0 ] || exit 0

command="apt-get install -y --no-install-recommends ${missing[*]}"
if ! has_program apt-get; then
  echo "Missing on this machine: ${missing[*]} (Debian's names). Install them with your package manager and try again." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if has_program sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    echo "Missing on this machine: ${missing[*]}. As root, run: apt-get update && $command" >&2
    exit 1
  fi
fi
echo "Installing ${missing[*]}…"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
# A package list that is days old names versions that the mirror no longer has; policy-rc.d is not touched, for
# the tests use ports and sockets of their own.
if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  echo "The packages could not be installed; the lines above are apt-get's. The command was: $command" >&2
  exit 1
fi
