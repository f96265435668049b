#!/usr/bin/env bash
# Real clients against a running server: run.sh URL TOKEN [EXPECTED]
#   URL is that of the /graphql endpoint; EXPECTED is the number of feedback records there should be.
#   Needs node_modules (npm install) and a Python with requirements.txt installed, named by PYTHON.
set -euo pipefail
cd "$(dirname "$0")"
url=$1 token=$2 expected=${3:-}
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

node apollo.mjs "$url" "$token" "$expected"
"${PYTHON:-python3}" gql_client.py "$url" "$token" "$expected"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp relay/* "$work"
curl --silent --show-error --fail --output "$work/schema.graphql" "${url%/graphql}/schema.graphql"
compiler=$PWD/node_modules/.bin/relay-compiler
(cd "$work" && "$compiler" relay.config.json >log 2>&1) || { cat "$work/log"; exit 1; }
test -e "$work/__generated__/RecordsPageQuery.graphql.js"
echo "relay-compiler: $(find "$work/__generated__" -name '*.js' | wc -l) artifacts from the schema"
