#!/bin/sh
# Makes the weights again, from nothing: fonts, renders, both trainings, export. About 80 minutes on two quiet cores.
#   models/tools/again.sh [MINUTES [REAL_CROPS]]
# MINUTES is the time for each training (default 66); REAL_CROPS a folder of real plate crops whose file names are their texts.
# Wants a Python with models/tools/requirements.txt installed; keeps everything in models/work.
set -eu
cd "$(dirname "$0")/../.."
minutes=${1:-66}
real=${2:-}
python=${PYTHON:-python3}
work=models/work
test -d "$work/fonts" || models/tools/fonts.sh "$work/fonts"
crops=${CROP_CHUNKS:-100} scenes=${SCENE_CHUNKS:-32}
# The first chunks come before the trainings start; the trainings pick up the others as they appear.
nice -n 19 "$python" -m models.tools.crops "$work/crops" --chunks 2
nice -n 19 "$python" -m models.tools.scenes "$work/scenes" --chunks 2 ${real:+--real "$real"}
nice -n 19 "$python" -m models.tools.crops "$work/crops" --chunks "$crops" &
nice -n 19 "$python" -m models.tools.scenes "$work/scenes" --chunks "$scenes" ${real:+--real "$real"} &
nice -n 19 "$python" -m models.tools.reader "$work/crops" --work "$work" --minutes "$minutes" ${real:+--real "$real"} &
nice -n 19 "$python" -m models.tools.detector "$work/scenes" --work "$work" --minutes "$minutes"
wait
"$python" -m models.tools.export --reader "$work/reader.pt" --detector "$work/detector.pt" --out models
