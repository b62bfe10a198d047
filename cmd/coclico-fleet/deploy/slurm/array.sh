#!/bin/bash
# Encodes a plan as an array job, without a queue: each task works on its own
# share of the chunks. Log files go to the folder it is submitted from.
#
#     coclico-fleet plan s3://photos s3://archive
#     sbatch array.sh s3://archive
#     coclico-fleet merge s3://archive
#
# What is done is done: submit it again, with as many or as few tasks, to do what
# is missing. To decode, ask for --mem=3G, and GOMEMLIMIT=2400MiB.
#SBATCH --job-name=coclico
#SBATCH --array=0-99
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=coclico-%A-%a.log
#SBATCH --signal=B:TERM@60
set -euo pipefail

if [ $# -ne 1 ]; then
	echo "usage: sbatch $0 DESTINATION" >&2
	exit 2
fi
export GOMEMLIMIT=1600MiB
export GOMAXPROCS="${SLURM_CPUS_PER_TASK:-2}"
# exec, so that Slurm's signal is the program's: it finishes its picture.
exec coclico-fleet work "$1" --shard auto
