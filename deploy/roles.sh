#!/bin/sh
# Makes the roles and the database and gives the roles the passwords of secret files. The database's container runs
# it once, when its data is made; elsewhere run it as a superuser of the server:
#
#     sudo -u postgres env ROLES=/opt/kerbsafe/deploy/roles.sql SECRETS=/path/readable/by/postgres roles.sh
set -eu
: "${ROLES:=/kerbsafe/roles.sql}" "${SECRETS:=/run/secrets}" "${POSTGRES_USER:=postgres}" "${DATABASE:=kerbsafe}"
psql -q -v ON_ERROR_STOP=1 -v "database=$DATABASE" -U "$POSTGRES_USER" -d postgres -f "$ROLES"
for name in owner ingest worker console gateway; do
    # Where no gateway is wanted there is no secret of it, and nobody can log in as its role.
    [ "$name" != gateway ] || [ -s "$SECRETS/db_gateway" ] || continue
    # By way of the environment and a quoted variable: on no command line, and in no log of the server.
    ROLE_PASSWORD=$(head -n 1 "$SECRETS/db_$name") psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres <<SQL
set log_statement = 'none';
set log_min_error_statement = 'panic';
\getenv password ROLE_PASSWORD
alter role kerbsafe_$name password :'password';
SQL
done
