#!/bin/bash
# Healthy is: Nginx answers, whatever the hub does.
exec 3<>"/dev/tcp/127.0.0.1/${1:-8081}" || exit 1
printf 'GET /nginx-health HTTP/1.0\r\n\r\n' >&3
read -r -t 3 answer <&3
[[ $answer == *" 200 "* ]]
