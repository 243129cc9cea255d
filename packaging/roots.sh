# Sourced by packaging/deb and packaging/bare-root: new Debian 12 roots, and commands in them (as root).
# shellcheck shell=bash

suite=bookworm
# Outside of the checkout, whose folders cargo walks through.
roots=${TMPDIR:-/tmp}/ft_local-roots

# new_root FOLDER PACKAGE...: with the sources of packages that this machine has.
new_root() {
    # The words in $() are apt-get's.
    # shellcheck disable=SC2016
    local folder=$1 lists=() format='deb $(REPO_URI) $(CODENAME) main'
    shift
    command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt install mmdebstrap"
    for name in $suite $suite-security; do
        lists+=("$(apt-get indextargets --format "$format" "Created-By: Packages" \
            "Codename: $name" | head -n 1)")
    done
    rm -rf --one-file-system "$folder"
    mkdir -p "$roots"
    mmdebstrap --variant=minbase --include="$(IFS=,; echo "$*")" "$suite" "$folder" "${lists[@]}"
    # How this machine reaches package indexes, and the authorities that it trusts.
    for file in /etc/resolv.conf /etc/pip.conf; do
        if [ -e "$file" ]; then install -D -m 644 "$file" "$folder$file"; fi
    done
    if [ -x "$folder/usr/sbin/update-ca-certificates" ]; then
        cp -RT /usr/local/share/ca-certificates "$folder/usr/local/share/ca-certificates"
        in_root "$folder" update-ca-certificates
    fi
}

# in_root FOLDER COMMAND...: with a new environment, and with what programs expect of a kernel.
in_root() {
    local folder=$1 proxy kept=()
    shift
    for proxy in http_proxy https_proxy no_proxy; do
        if [ -n "${!proxy:-}" ]; then kept+=("$proxy=${!proxy}"); fi
    done
    # shellcheck disable=SC2016 # The words are those of the inner shell.
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "${kept[@]}" unshare --mount sh -c '
        mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"' \
        "$folder" "$@"
}
