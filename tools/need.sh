#!/bin/sh
# Makes sure that the named Debian packages are there, given as command=package. Installs what is missing where it may;
# elsewhere says in one line what to install.
missing=
for pair in "$@"; do
  command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  # shellcheck disable=SC2086 # a list of packages
  { apt-get install -y -qq $missing || { apt-get update -qq && apt-get install -y -qq $missing; }; } >/dev/null 2>&1 && exit 0
fi
echo "Please install:$missing (on Debian: sudo apt-get install$missing)" >&2
exit 1
