# Sourced by docs/build-site and docs/check-examples.
# shellcheck shell=bash

# shellcheck source=tools/common.sh
source "$(dirname "$0")/../tools/common.sh"

# docs_python: prints an interpreter with the tools of docs/requirements.txt and with ft_local. The
# session `docs` of noxfile.py makes its environment.
docs_python() {
    local python=$build/envs/docs/bin/python
    [ -x "$python" ] || die "there is no environment for it yet; run tools/nox -s docs"
    echo "$python"
}
