#!/usr/bin/env bash
# How long an import of many people takes, and how much memory: on SQLite, and on PostgreSQL if there is one.
#
#   benches/import.sh [ROWS]
#
# GAZETTED  the program (default: target/release/gazetted)
# POSTGRES  the URL of an empty database, to measure that too
# FORMAT    mailchimp (default) or csv
set -euo pipefail
cd "$(dirname "$0")/.."

rows=${1:-1000000}
gazetted=${GAZETTED:-${CARGO_TARGET_DIR:-target}/release/gazetted}
if [[ ! -x $gazetted ]]; then
    echo "no program at $gazetted: cargo build --release, or set GAZETTED" >&2
    exit 1
fi
benches/import.py "$gazetted" "$rows" --format "${FORMAT:-mailchimp}"
if [[ -n ${POSTGRES-} ]]; then
    benches/import.py "$gazetted" "$rows" --format "${FORMAT:-mailchimp}" --store "$POSTGRES"
fi
