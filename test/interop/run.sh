#!/bin/sh
# Runs the interoperability tests, with aiocoap where python3 and its pip are there: it is put into a folder of its own
# that is gone afterwards. To be called with all packages built.
set -eu
cd "$(dirname "$0")/../.."
AIOCOAP=0.4.17

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

if ! python3 -m pip --version >/dev/null 2>&1; then
  echo 'interop: without aiocoap, there is no pip (on Debian: sudo apt-get install python3-pip python3-venv)'
elif ! { python3 -m venv "$scratch" && "$scratch/bin/python" -m pip install -q "aiocoap==$AIOCOAP"; } >"$scratch/log" 2>&1; then
  echo "interop: without aiocoap, it cannot be installed: $(tail -n 1 "$scratch/log")"
else
  export TANDEM_INTEROP_AIOCOAP="$scratch/bin/python"
fi
npx jest test/interop "$@"
