#!/bin/sh
# gather.sh PROGRAM FOLDER: the program with its loader, its libraries, name
# resolution, CA roots and zone data, and the folders that volumes are mounted on.
set -eu
program=$1
image=$2
mkdir -p "$image/etc/ssl/certs" "$image/usr/share" "$image/tmp"
cp "$program" "$image/iothome"

# Every library by its own path, links followed; the loader is among them.
ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    mkdir -p "$image$(dirname "$library")"
    cp -L "$library" "$image$library"
done
# The C library loads these by name when it resolves hosts.
for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
    path=$(find /lib /usr/lib -name "$library" -path '*-linux-*' | head -n 1)
    [ -z "$path" ] && continue
    mkdir -p "$image$(dirname "$path")"
    cp -L "$path" "$image$path"
done

echo 'hosts: files dns' > "$image/etc/nsswitch.conf"
printf 'root:x:0:0::/:/nonexistent\niothome:x:10001:10000::/data:/nonexistent\n' > "$image/etc/passwd"
printf 'root:x:0:\niothome:x:10000:\n' > "$image/etc/group"
cp /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
cp -r /usr/share/zoneinfo "$image/usr/share/"

# A new volume takes owner and mode of the folder it is mounted on, in whichever
# container comes first, so each folder is the same in every image.
for folder in data secrets nginx-tls volumes/hub-data volumes/hub-secrets volumes/nginx-tls \
    volumes/mosquitto-secrets volumes/postgres-secrets; do
    mkdir -p "$image/$folder"
    chown 10001:10000 "$image/$folder"
    chmod 2750 "$image/$folder"
done
chmod 0700 "$image/data" "$image/volumes/hub-data"
chmod 1777 "$image/tmp"
