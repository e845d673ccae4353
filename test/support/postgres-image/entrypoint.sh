#!/usr/bin/env bash
# Makes the database cluster at the first start, then becomes the server.
set -euo pipefail

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
bin=$(echo /usr/lib/postgresql/*/bin)
PATH=$bin:$PATH

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?set it: it becomes the password of $user}"
  initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  if [ "$database" != postgres ]; then
    # Through the server in its single-user mode, so that nobody can connect before all is set up.
    printf 'CREATE DATABASE "%s"\n' "${database//\"/\"\"}" | postgres --single postgres >/dev/null
  fi
fi

exec postgres -c listen_addresses='*' "$@"
