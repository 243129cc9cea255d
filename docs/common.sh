# Sourced by docs/build-site and docs/check-examples: the environment that both use.
# shellcheck shell=bash

# shellcheck source=tools/common.sh
source "$(dirname "$0")/../tools/common.sh"
venv=$build/venv-docs

make_venv() {
    "$1" -m venv --clear "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check install --only-binary :all: \
        -r "$root/docs/requirements.txt"
}

site_packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("platlib"))'; }

# docs_python: prints an interpreter with the tools of docs/requirements.txt and with ft_local,
# which is found where tools/install has put it.
docs_python() {
    local base installed wanted
    base=$("$root/tools/interpreters" --ordinary)
    installed=$("$root/tools/install" "$base")
    wanted=$("$base" -c 'import sys; print(sys.version)' && cat "$root/docs/requirements.txt")
    exec 9>"$venv.lock"
    flock 9
    if [ "$(cat "$venv/made-from" 2>/dev/null)" != "$wanted" ]; then
        step "environment build/venv-docs" "$build/logs/venv-docs.log" make_venv "$base"
        echo "$wanted" >"$venv/made-from"
    fi
    ln -sfn "$(site_packages "$installed")/ft_local" "$(site_packages "$venv/bin/python")/ft_local"
    exec 9>&-
    echo "$venv/bin/python"
}
