#!/usr/bin/env bash
# Runs schemathesis, with every check, against a central of its own: as a stranger, then as an officer
# who is signed in. Ends with 1 where the API does what its document does not say.
#
#   deploy/fuzz-api.sh CENTRAL-API [EXAMPLES]     examples of each operation, 100 without a number
set -euo pipefail

central=$(realpath "${1:?usage: deploy/fuzz-api.sh CENTRAL-API [EXAMPLES]}")
examples=${2:-100}
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
tool=${SCHEMATHESIS:-}
if [ -z "$tool" ]; then
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet schemathesis==4.32.5
    tool=$folder/python/bin/schemathesis
fi

cd "$folder"
export CENTRAL_DATABASE__URL=sqlite:$folder/central.db CENTRAL_EVIDENCE__FOLDER=$folder/evidence
export CENTRAL_KEYS__FOLDER=$folder/keys CENTRAL_OPS__LISTEN=
export CENTRAL_WEB__LISTEN=127.0.0.1:18780 CENTRAL_DEVICE__LISTEN=127.0.0.1:18743
export CENTRAL_LOOKUP__REQUESTS_PER_MINUTE=1000000
base=http://127.0.0.1:18780
"$central" serve >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -sf "$base/api/openapi.json" >/dev/null && break; sleep 0.2; done

password="fuzz $(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
echo "$password" >password
"$central" admin create-user --login fuzz --name Fuzz --role reviewer --password-file password
answer=$(curl -si -H 'Content-Type: application/json' \
    -d "{\"login\":\"fuzz\",\"password\":\"$password\"}" "$base/api/v1/session")
cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \(session=[^;]*\).*/\1/p' <<<"$answer")
token=$(sed -n 's/.*"csrf":"\([^"]*\)".*/\1/p' <<<"$answer")

fuzz() {
    "$tool" run "$base/api/openapi.json" --checks all --seed 1 --max-examples "$examples" "$@"
}
fuzz
# Signing out would end the officer's session for all that comes after it.
fuzz --exclude-method DELETE -H "Cookie: $cookie" -H "X-CSRF-Token: $token"
if grep '"level":"ERROR"' server.log; then
    echo "the server failed while it was asked: see above" >&2
    exit 1
fi
