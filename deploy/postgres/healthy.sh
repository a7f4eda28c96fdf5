#!/bin/sh
# Healthy is: PostgreSQL takes connections.
exec pg_isready --quiet --host="${1:-/tmp}"
