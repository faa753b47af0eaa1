#!/bin/sh
# Makes the weights again, from nothing: fonts, renders, trainings, export. About 90 minutes on two quiet cores.
#   models/tools/again.sh [MINUTES [REAL_CROPS]]
# MINUTES is the time for each training (default 66); REAL_CROPS a folder of real plate crops whose file names are their texts.
# Wants a Python with models/tools/requirements.txt installed. WORK (default models/work) keeps renders and checkpoints,
# OUT (default models) gets the weights. The short form, through every step in minutes:
#   CROP_CHUNKS=1 SCENE_CHUNKS=1 COUNT=96 OUT=/tmp/models models/tools/again.sh 0.5
set -eu
cd "$(dirname "$0")/../.."
minutes=${1:-66}
real=${2:-}
python=${PYTHON:-python3}
work=${WORK:-models/work} out=${OUT:-models}
test -d "$work/fonts" || models/tools/fonts.sh "$work/fonts"
export BARIE_FONTS="$work/fonts"
crops=${CROP_CHUNKS:-100} scenes=${SCENE_CHUNKS:-32}
first=2
test "$crops" -gt 1 || first=1
run() { nice -n 19 "$python" -m "models.tools.$@"; }
# The first chunks come before the trainings start; the trainings pick up the others as they appear.
run crops "$work/crops" --chunks "$first" ${COUNT:+--count "$COUNT"}
run scenes "$work/scenes" --chunks "$first" ${COUNT:+--count "$COUNT"} ${real:+--real "$real"}
run crops "$work/crops" --chunks "$crops" ${COUNT:+--count "$COUNT"} &
run scenes "$work/scenes" --chunks "$scenes" ${COUNT:+--count "$COUNT"} ${real:+--real "$real"} &
run reader "$work/crops" --work "$work" --minutes "$minutes" ${real:+--real "$real"} &
run detector "$work/scenes" --work "$work" --minutes "$minutes"
wait
# The closer look learns from where the finished reader looks.
run closer "$work/crops" --reader "$work/reader.pt" --work "$work" --minutes "$minutes" ${real:+--real "$real"}
"$python" -m models.tools.export --reader "$work/reader.pt" --detector "$work/detector.pt" --closer "$work/closer.pt" --out "$out"
