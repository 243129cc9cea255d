# Sourced, after common.sh, by the scripts that build a CPython. Debian has no free-threaded
# package, so they take the source package of a newer suite from the archive mirror that this
# machine already uses. apt checks the signature; the machine's own apt configuration stays
# unchanged.
# shellcheck shell=bash

cache=${FT_LOCAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ft_local}
cpython_suite=trixie
cpython_source=python3.13
# shellcheck disable=SC2034 # Used by the scripts that source this file.
cpython_program=python3.13t
cpython_packages=(gcc make dpkg-dev libc6-dev libffi-dev libssl-dev zlib1g-dev libbz2-dev
    liblzma-dev libsqlite3-dev libreadline-dev uuid-dev)

# The Debian packages that a build still needs.
cpython_missing_packages() {
    local package
    for package in "${cpython_packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
}

# One deb-src line for the newer suite, with the address and keyring of the machine's own source.
cpython_source_line() {
    local file uri keyring
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        uri=$(awk '$1 == "URIs:" && $2 ~ /\/debian\/?$/ { print $2; exit }' "$file")
        keyring=$(awk '$1 == "Signed-By:" { print $2; exit }' "$file")
        [ -n "$uri" ] && break
    done
    [ -n "${uri:-}" ] || uri=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++)
        if ($i ~ /\/debian\/?$/) { print $i; exit } }' /etc/apt/sources.list 2>/dev/null || true)
    [ -n "${uri:-}" ] || die "no Debian archive among this machine's apt sources; give an interpreter" \
        "of your own in FT_LOCAL_FREE_THREADED_PYTHON"
    echo "deb-src [signed-by=${keyring:-/usr/share/keyrings/debian-archive-keyring.gpg}]" \
        "$uri $cpython_suite main"
}

# Puts the source into DIR/src.
cpython_fetch() {
    local dir=$1 state=$1/apt tarball
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$dir/src"
    cpython_source_line >"$state/source.list"
    local apt=(apt-get -q -o "Dir::Etc::SourceList=$state/source.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=)
    "${apt[@]}" update >&2
    (cd "$dir" && "${apt[@]}" source --download-only "$cpython_source" >&2)
    tarball=$(find "$dir" -maxdepth 1 -name "${cpython_source}_*.orig.tar.xz")
    [ -n "$tarball" ] || die "the source package $cpython_source holds no upstream archive"
    tar -xf "$tarball" -C "$dir/src" --strip-components=1
}

# build_cpython PREFIX CONFIGURE_ARGUMENT...: a build that was interrupted goes on where it was.
build_cpython() {
    local prefix=$1 work=$1.build missing
    shift
    missing=$(cpython_missing_packages | tr '\n' ' ')
    [ -z "$missing" ] || die "to build CPython, first run: tools/setup --all" \
        "(or: sudo apt-get install $missing)"
    mkdir -p "$cache"
    # Two checkouts must not build in one place.
    exec 9>"$prefix.lock"
    flock 9
    if [ -x "$prefix/bin/$cpython_program" ]; then return; fi
    if [ "$(cat "$work/configured" 2>/dev/null)" != "$*" ]; then
        rm -rf "$work"
        mkdir "$work"
        cpython_fetch "$work"
        step configure "$work/configure.log" \
            env -C "$work/src" ./configure --prefix="$prefix" --disable-gil "$@"
        echo "$*" >"$work/configured"
    fi
    step make "$work/make.log" make -C "$work/src" -j"$(nproc)"
    # Goes along with it: the races of its own that it asks ThreadSanitizer not to report.
    mkdir -p "$work/root$prefix"
    cp "$work/src/Tools/tsan/suppressions_free_threading.txt" "$work/root$prefix/"
    # Installed beside the final place and then renamed: an interrupted build leaves no half of one.
    step install "$work/install.log" make -C "$work/src" install DESTDIR="$work/root"
    rm -rf "$prefix"
    mv "$work/root$prefix" "$prefix"
    rm -rf "$work"
}
