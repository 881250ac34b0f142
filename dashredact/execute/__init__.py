"""Who runs the stages of a video: this process, or worker processes that can crash without affecting anything else."""
