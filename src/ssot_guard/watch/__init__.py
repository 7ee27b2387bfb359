"""Watchers: one room per thing that is watched. Each turns what it sees into calls of the ledger, and nothing else."""
