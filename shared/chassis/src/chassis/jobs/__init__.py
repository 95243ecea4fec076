"""Jobs: long work that a request asks for and workers carry out, item by item, with everybody able to watch.

A job is done in the order of its items, each exactly once: up to 200 are committed together with
the facts they tell and with the job's own progress, so whatever kills a worker, the next one goes on
at the first item that was not committed. It runs in the name of whoever started it, and ends when
that user may do no longer what the job does.
"""

from chassis.jobs.kinds import Item, JobKind
from chassis.jobs.shown import JobView, accepted
from chassis.jobs.starting import digest, start

__all__ = ["Item", "JobKind", "JobView", "accepted", "digest", "start"]
