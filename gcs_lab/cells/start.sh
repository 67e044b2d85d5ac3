# Prepare what a job runs in, then become the job's command:
#     bash start.sh [--init FILE]… [--module-path FOLDER]… [--module NAME]… [--conda FOLDER PROGRAM] -- COMMAND…
# Everything comes as arguments, and no argument ever becomes part of this code. Modules are loaded first, in their
# order, then the conda environment is activated. GCS_LAB_ACTIVATED names the variables that this changed.
# Exit status 78 (EX_CONFIG): it cannot be prepared; the last line on standard error says why.

die() {
    echo "gcs_lab: $* (on host $(uname -n))" >&2
    exit 78
}

inits=() paths=() modules=() folder='' program=''
while [ $# -gt 0 ]; do
    case $1 in
        --init) inits+=("$2"); shift 2 ;;
        --module-path) paths+=("$2"); shift 2 ;;
        --module) modules+=("$2"); shift 2 ;;
        --conda) folder=$2 program=$3; shift 3 ;;
        --) shift; break ;;
        *) die "start.sh: unknown argument $1" ;;
    esac
done

declare -A before
for name in $(compgen -e); do before[$name]=${!name}; done

have_module() { type module >/dev/null 2>&1; }

find_module() {
    local init
    for init in "$MODULESHOME/init/bash" "${inits[@]}" /etc/profile.d/{modules,z00_lmod,lmod}.sh \
        /usr/share/{modules,Modules,lmod/lmod}/init/bash; do
        have_module && return
        # shellcheck disable=SC1090
        [ -r "$init" ] && . "$init" >&2
    done
    have_module || die "module: not found: neither environment-modules nor Lmod is here, and --module needs one"
}

load() {
    local loaded=$LOADEDMODULES
    module load "$1" >&2 || die "module load $1 failed"
    # Version 3 of environment-modules ends with 0 even when it failed.
    if [ "$loaded" = "$LOADEDMODULES" ]; then
        case ":$LOADEDMODULES:" in
            *":$1:"* | *":$1/"*) ;;
            *) die "module load $1 loaded nothing" ;;
        esac
    fi
}

by_hand() {
    local script
    export CONDA_PREFIX=$1 CONDA_DEFAULT_ENV=${1##*/} CONDA_SHLVL=1 PATH=$1/bin:$PATH
    for script in "$1"/etc/conda/activate.d/*.sh; do
        # shellcheck disable=SC1090
        [ -r "$script" ] && . "$script" >&2
    done
}

activate() {
    local code=''
    [ -d "$1" ] || die "there is no conda environment $1"
    if [ -n "$2" ] && [ -x "$2" ]; then
        # As their own shell functions do it: `conda activate` and `micromamba activate` are this.
        case ${2##*/} in
            conda*) code=$("$2" shell.posix activate "$1") || die "conda activate $1 failed" ;;
            *) code=$("$2" shell activate --shell bash --prefix "$1") || die "${2##*/} activate $1 failed" ;;
        esac
        eval "$code" >&2
    fi
    [ "$CONDA_PREFIX" = "$1" ] || by_hand "$1"
}

if [ ${#modules[@]} -gt 0 ]; then
    find_module
    for path in "${paths[@]}"; do
        case ":$MODULEPATH:" in *":$path:"*) ;; *) [ -d "$path" ] && module use --append "$path" >&2 ;; esac
    done
    for name in "${modules[@]}"; do load "$name"; done
fi
[ -z "$folder" ] || activate "$folder" "$program"

changed=''
for name in $(compgen -e); do
    if [ "${before[$name]+there}" != there ] || [ "${before[$name]}" != "${!name}" ]; then changed+=" $name"; fi
    unset "before[$name]"
done
export GCS_LAB_ACTIVATED="${!before[*]}$changed"

type -P "$1" >/dev/null || die "there is no program $1, even with these modules"
exec "$@"
