#!/usr/bin/env bash
# Makes the vendored copy of the Public Suffix List (both sections). Run by hand when a newer one is wanted; the result is
# committed. Rules come from the npm package haraka-tld, which ships the list as published but without its comments and is
# three years ahead of Debian 12's package; the licence header comes from that package (apt-get install publicsuffix).
set -euo pipefail
version=1.3.6
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../src/SignalHub/Leads/Identity/Data/public_suffix_list.dat
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "haraka-tld@$version" >/dev/null
tar xzf "haraka-tld-$version.tgz"
{
  sed '/^$/q' /usr/share/publicsuffix/public_suffix_list.dat
  echo "// Public Suffix List, https://publicsuffix.org/list/ - ICANN and private section, in the order published."
  echo "// Modified: comments removed. Rules as shipped by the npm package haraka-tld $version (June 2026)."
  echo
  cat package/etc/public-suffix-list
} > "$out"
echo "$(grep -cv -e '^//' -e '^$' "$out") rules"
