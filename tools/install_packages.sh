#!/bin/bash
# Install what real systems in the tests and the tour need, from the distribution's packages:
#     install_packages.sh gridengine chromium modules
# Says in one line what cannot be installed and why, and ends with 0: what needs it says so again, by name.
set -u
GRIDENGINE="gridengine-master gridengine-exec gridengine-client gridengine-drmaa1.0"
WRAPPERS="libnss-wrapper libsocket-wrapper"
APT="apt-get -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 -qq"

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

available() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

cannot() { echo "not installed: $1: $2" >&2; }

# Debian's packages start their daemons, and enable them for the next boot. Neither is wanted here: tests and
# tour run their own cell under their own user, on their own ports.
without_daemons() {
    local policy=/usr/sbin/policy-rc.d status
    if [ -e $policy ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    "$@"
    status=$?
    as_root rm -f $policy
    return $status
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive $APT install "$@" </dev/null >"$log" 2>&1
}

# Ubuntu 24.04's gridengine-master crashes while it is configured, and does not when that is done once more.
configure_again() {
    local package
    without_daemons as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a </dev/null >>"$log" 2>&1
    for package in "$@"; do installed "$package" || return 1; done
}

install() {
    local what=$1 package missing=()
    shift
    for package in "$@"; do installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        cannot "$what" "there is no apt-get here; install ${missing[*]} by hand"
        return
    fi
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        cannot "$what" "that needs root, or sudo without a password: sudo apt-get install ${missing[*]}"
        return
    fi
    echo "installing ${missing[*]} (apt-get)"
    for package in "${missing[@]}"; do
        available "$package" || { as_root apt-get -qq update </dev/null >"$log" 2>&1; break; }
    done
    for package in "${missing[@]}"; do
        if ! available "$package"; then
            cannot "$what" "this distribution has no package $package (on Ubuntu, Chromium is a snap only)"
            return
        fi
    done
    # Grid Engine depends on a mail program, and that on any mail server: this one runs no daemon.
    if [ "$what" = gridengine ] && ! [ -x /usr/sbin/sendmail ] && available msmtp-mta; then
        missing+=(msmtp-mta)
    fi
    if ! without_daemons apt_install "${missing[@]}" && ! configure_again "${missing[@]}"; then
        as_root apt-get -qq update </dev/null >>"$log" 2>&1
        if ! without_daemons apt_install "${missing[@]}"; then
            tail -n 20 "$log" >&2
            cannot "$what" "apt-get failed; its last words are above"
            return
        fi
    fi
    for package in "${missing[@]}"; do
        case $package in
            gridengine-master | gridengine-exec) as_root update-rc.d "$package" disable >/dev/null 2>&1 ;;
        esac
    done
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for what in "$@"; do
    case $what in
        gridengine)
            # shellcheck disable=SC2086  # a list of names
            install gridengine $GRIDENGINE
            # With these a private Grid Engine has several nodes, or simulated hosts.
            # shellcheck disable=SC2086
            install "nodes of a private Grid Engine" $WRAPPERS
            ;;
        chromium)
            command -v chromium >/dev/null || install chromium chromium
            # What drives it, Playwright, brings a Node.js that needs this; a bare Debian does not have it.
            ! command -v apt-get >/dev/null || install "Playwright's driver" libatomic1
            ;;
        modules) install "environment modules" environment-modules ;;
        *) echo "install_packages.sh: $what is none of gridengine, chromium, modules" >&2; exit 2 ;;
    esac
done
