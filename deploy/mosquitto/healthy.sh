#!/bin/bash
# Healthy is: the TLS port takes a connection.
exec 3<>"/dev/tcp/127.0.0.1/${1:-8883}"
