#!/usr/bin/env bash
# Unpacks packages of Debian's unstable suite into a folder, beside the system: sid.sh FOLDER PACKAGE...
# Only for programs that need nothing but libc. Uses the archive that this machine uses already.
set -euo pipefail
target=$1; shift
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$target" "$work"/{lists/partial,cache/archives/partial,packages}
archive=$(awk '/^URIs:/ && !/security/ { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null)
[ -n "$archive" ] || archive=$(awk '$1 == "deb" && !/security/ { print $2; exit }' /etc/apt/sources.list)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive sid main" > "$work/sources.list"
options=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache"
  -o Acquire::Languages=none -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
(cd "$work/packages" && apt-get "${options[@]}" download "$@")
for package in "$work"/packages/*.deb; do dpkg -x "$package" "$target"; done
