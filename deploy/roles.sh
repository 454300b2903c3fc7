#!/bin/sh
# Runs once, in a new PostgreSQL: the database, its owner, the application's role and the one for backups.
# The passwords come from the environment (deploy/postgres.env) and are read by psql itself, so that no process list shows them.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" <<'SQL'
\getenv owner_password HUB_OWNER_PASSWORD
\getenv app_password HUB_APP_PASSWORD
\getenv backup_password HUB_BACKUP_PASSWORD
CREATE ROLE hub_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE hub_app LOGIN PASSWORD :'app_password';
CREATE ROLE hub_backup LOGIN REPLICATION PASSWORD :'backup_password';
CREATE DATABASE hub OWNER hub_owner;
REVOKE ALL ON DATABASE hub FROM PUBLIC;
GRANT CONNECT ON DATABASE hub TO hub_app;
SQL

# Base backups and the archive of changes come over the network of the containers.
echo "host replication hub_backup samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"
