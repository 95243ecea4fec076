"""The audit's chain: each entry carries a hash over what it says and over the hash of the one before it.

A request only adds its entry (``chassis.database.audit``); the chain is made afterwards, by one worker
at a time, in the order in which entries show. So nobody waits for anybody, numbers have no gap, and
an entry is open to tampering for about a second. Requests may not read or change an entry, workers
may not change what it says; the chain is for whoever may.
"""
