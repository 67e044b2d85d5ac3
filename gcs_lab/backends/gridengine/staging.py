"""Copies before and after a job, by a wrapper around its command; the submission host's files must be seen there.

Grid Engine's own ``delegated_file_staging`` needs scripts that a cluster's operators install, so the job does it: its
command becomes ``/bin/sh -c SCRIPT``, and everything that a user wrote travels as an argument of that script, never
in its text. Placeholders are replaced there, where the job runs.

The job ends as its command did: with its exit status, or by its signal. As in every shell, a command that itself
exits with 128 plus the number of a signal counts as ended by it. A failed copy before the start ends the job with
100, which puts it into error state (``Eqw``); a failed copy afterwards makes a job fail that else were done. What
kills the whole job (qdel, a hard limit) also ends the wrapper: then nothing is copied back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.vocabulary import HOME_DIRECTORY, PARAMETRIC_INDEX, WORKING_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COPY_FAILED", "staged_command"]

#: Exit status of a job whose command did well, but whose results could not be copied (sysexits.h: ``EX_IOERR``).
COPY_FAILED = 74

# One line, for Grid Engine cuts an argument at its first line break. Arguments: the three placeholders; the number of
# pairs of paths to copy before, and the pairs; the same for afterwards; the command. Signals that warn of an end
# (-notify, s_rt) and others that a command may survive are the command's affair; the wrapper outlives them.
_SCRIPT = " ".join(
    line.strip()
    for line in r"""
place() {
  p=$1; r=;
  case $p in
    "$H"|"$H"/*) p=$HOME${p#"$H"};;
    "$W"|"$W"/*) p=$D${p#"$W"};;
    /*) ;;
    *) p=$D/$p;;
  esac;
  while :; do
    case $p in *"$I"*) r=$r${p%%"$I"*}$SGE_TASK_ID; p=${p#*"$I"};; *) break;; esac;
  done;
  p=$r$p;
};
transfer() {
  place "$1"; s=$p; place "$2"; t=$p;
  if [ -d "$s" ]; then
    mkdir -p "$t" && cp -pR "$s/." "$t" && return;
  else
    case $t in */) mkdir -p "$t";; esac;
    [ -d "$t" ] && t=${t%/}/${s##*/};
    d=${t%/*}; [ -d "${d:-/}" ] || mkdir -p "$d";
    n=$t.gcs-lab-$JOB_ID.$SGE_TASK_ID;
    cp -p "$s" "$n" && mv -f "$n" "$t" && return;
    rm -f "$n";
  fi;
  echo "gcs_lab: could not copy $s to $t" >&2;
  return 1;
};
H=$1 W=$2 I=$3 D=$PWD; shift 3;
k=$1; shift;
while [ "$k" -gt 0 ]; do
  transfer "$1" "$2" </dev/null || exit 100;
  shift 2; k=$((k-1));
done;
k=$1; shift;
trap : HUP INT QUIT TERM USR1 USR2 XCPU XFSZ;
(shift $((2*k)); exec "$@");
e=$?; b=0;
while [ "$k" -gt 0 ]; do
  transfer "$1" "$2" </dev/null || b=74;
  shift 2; k=$((k-1));
done;
[ "$e" -eq 0 ] && exit "$b";
if [ "$e" -gt 128 ]; then
  trap - HUP INT QUIT TERM USR1 USR2 XCPU XFSZ;
  case $(kill -l "$e" 2>/dev/null) in
    ""|CHLD|CLD|CONT|STOP|TSTP|TTIN|TTOU|URG|WINCH) ;;
    *) ulimit -c 0; kill -s "$(kill -l "$e")" $$;;
  esac;
fi;
exit "$e"
""".strip().splitlines()
)


def staged_command(
    stage_in: Mapping[str, str], stage_out: Mapping[str, str], command: str, args: Sequence[str]
) -> tuple[str, list[str]]:
    """Return the command and arguments that copy, run `command` and copy again.

    Parameters
    ----------
    stage_in, stage_out
        Source to destination. Paths may have DRMAA2's placeholders; relative ones start in the working directory. A
        folder's content goes into the destination; a file goes there, or into it if that is a folder.
    command, args
        What the job is to run.
    """
    words = ["-c", _SCRIPT, "gcs_lab", HOME_DIRECTORY, WORKING_DIRECTORY, PARAMETRIC_INDEX]
    for pairs in (stage_in, stage_out):
        words.append(str(len(pairs)))
        for pair in pairs.items():
            words += pair
    return "/bin/sh", [*words, command, *args]
