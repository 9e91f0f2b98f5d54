#!/usr/bin/env bash
# Makes the list of free-mail domains: those on at least two of three npm lists, plus add.txt, less remove.txt and relays.
# Run by hand when newer lists are wanted; the result is committed, nothing is fetched at build or run time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../src/SignalHub/Leads/Identity/Data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in free-email-domains@1.12.6 email-providers@2.26.0 freemail@1.7.0; do
  mkdir "${package%@*}"
  tar xzf "$(npm pack --silent "$package" | tail -1)" -C "${package%@*}"
done
node - "$here" > "$data/free_mail_domains.txt" <<'JS'
const fs = require('fs');
const here = process.argv[2];
const lines = file => fs.readFileSync(file, 'utf8').split('\n').map(l => l.replace(/#.*/, '').trim().toLowerCase()).filter(Boolean);
const json = file => JSON.parse(fs.readFileSync(file, 'utf8')).map(d => d.trim().toLowerCase());
const lists = [
  new Set(json('free-email-domains/package/domains.json')),
  new Set(json('email-providers/package/all.json')),
  // What its isFree() says: the free and the disposable domains.
  new Set([...lines('freemail/package/data/free.txt'), ...lines('freemail/package/data/disposable.txt')]),
];
const votes = new Map();
for (const list of lists) for (const domain of list) votes.set(domain, (votes.get(domain) ?? 0) + 1);
const chosen = new Set([...votes].filter(([, n]) => n >= 2).map(([domain]) => domain));
for (const domain of lines(`${here}/add.txt`)) chosen.add(domain);
const off = [...lines(`${here}/remove.txt`), ...lines(`${here}/../../src/SignalHub/Leads/Identity/Data/relay_domains.txt`)];
for (const domain of off) chosen.delete(domain);
const hosts = [...chosen].filter(d => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(d)).sort();
console.log(`# Free-mail and throw-away mail domains; made by tools/free-mail/make.sh, do not edit (see add.txt and remove.txt there).
# On at least two of the npm lists below; a fact list, each source under its licence (notices: docs/third-party-notices.md):
#   free-email-domains 1.12.6 (MIT, Kiko Beats) - email-providers 2.26.0 (ISC, Jannis R) - freemail 1.7.0 (ISC, Will White)`);
console.log(hosts.join('\n'));
JS
echo "$(grep -cv '^#' "$data/free_mail_domains.txt") domains"
