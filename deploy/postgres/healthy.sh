#!/bin/sh
# Healthy is: PostgreSQL takes connections. The user is one that may knock, or each
# check would leave a line in the log; it does not sign in.
exec pg_isready --quiet --host="${1:-/tmp}" --username=postgres --dbname=postgres
