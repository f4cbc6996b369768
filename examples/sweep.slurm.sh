#!/bin/bash
# A sweep as a Slurm job array: sbatch examples/sweep.slurm.sh plan.toml /shared/sweep
# Each task runs the shard of its SLURM_ARRAY_TASK_ID. A task that is killed or requeued continues where it stopped.
#SBATCH --job-name=plumb-sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --time=1:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# When all have ended: sbatch --dependency=afterany:JOBID --wrap 'server sweep merge /shared/sweep'
set -euo pipefail
plan=$1 out=$2
exec server sweep "$plan" --out "$out" --jobs "${SLURM_CPUS_PER_TASK:-1}"
