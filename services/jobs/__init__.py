"""Work that is done later and survives every crash: put in within a transaction, done by workers."""

from services.jobs.registry import JOBS, Job, Work, job, plan

__all__ = ["JOBS", "Job", "Work", "job", "plan"]
