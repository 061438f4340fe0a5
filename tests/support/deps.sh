#!/bin/sh
# Installs what building and testing svisor needs and this machine lacks (Debian 12 package names).
#
# Quick when nothing is missing: one dpkg-query, one comparison, no network. When something is, this is all that
# happens: `apt-get update` and one `apt-get install` without recommendations, and `npm ci` in web/. No service is left running: packages
# such as nginx and redis-server start themselves when they are installed, and the demonstration and the
# tests want their own instances, not the machine's. A temporary policy-rc.d says no for the time of the
# installation; where the machine has its own, that one is respected and left alone.
set -eu

# The compiler and what svisord and svctl link with.
build='gcc libc6-dev make pkg-config git clang llvm bpftool linux-libc-dev libelf-dev zlib1g-dev
    libsystemd-dev libbpf-dev libcgroup-dev libmicrohttpd-dev libgnutls28-dev libxml2-dev libjansson-dev libpcre2-dev
    libcurl4-openssl-dev libedit-dev libzmq3-dev libwslay-dev libprotobuf-c-dev protobuf-c-compiler'
# Unit tests, fuzzers, sanitizers, format lint; the real Supervisor that svisord is compared with, and what Supvisors needs
# where SUPVISORS_SRC names a checkout of it; the terminal of svctl's shell; the man pages' renderer; the package builder.
check='libcmocka-dev libclang-rt-14-dev clang-format python3 supervisor python3-zmq python3-psutil python3-lxml
    python3-jsonschema python3-websockets python3-prometheus-client
    expect groff man-db procps util-linux iproute2 curl psmisc dpkg-dev'
# The Java client (make java) and its tests; about 120 MB to fetch, and the tests are skipped without it.
java='default-jdk-headless'
# The virtual machine of tests/vm. Its kernels are not installed: tests/vm/kernel fetches them at their first use.
machine='qemu-system-x86 busybox-static kmod cpio xz-utils systemd dbus'
# The dashboard: its compiler, and the browser of its tests with fonts that have their symbols. Where npm comes from
# elsewhere (nodesource's nodejs has it), Debian's node is not put beside it.
web='chromium fonts-dejavu-core'
command -v npm >/dev/null || web="$web nodejs npm"
# What the demonstration runs.
demo='nginx-light redis-server'

# shellcheck disable=SC2086 # the lists are meant to be split
missing=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $build $check $java $machine $web $demo 2>/dev/null |
    awk -v wanted="$(echo $build $check $java $machine $web $demo)" '
        $2 == "installed" { have[$1] = 1 }
        END {
            count = split(wanted, names, " ")
            for (i = 1; i <= count; i++)
                if (!(names[i] in have))
                    printf "%s ", names[i]
        }')

# What esbuild's package would do after its installation is not needed where its program for this machine came with it.
install_modules() {
    cd "$(dirname "$0")/../../web"
    if ! cmp -s package-lock.json node_modules/.installed-lock; then
        echo "deps: npm ci in web/"
        npm ci --ignore-scripts --no-progress --loglevel=error
        cp package-lock.json node_modules/.installed-lock
    fi
}

if [ -z "$missing" ]; then
    install_modules
    echo "deps: everything is installed"
    exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps: these packages are missing, and only root can install them (there is no sudo):" >&2
        echo "deps:     apt-get install $missing" >&2
        exit 1
    fi
    as_root='sudo'
fi

policy=/usr/sbin/policy-rc.d
own_policy=
clean_up() {
    if [ -n "$own_policy" ]; then
        $as_root rm -f "$policy"
    fi
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

echo "deps: installing $missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
install_modules
