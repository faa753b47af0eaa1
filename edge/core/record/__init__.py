"""The record, pure: its envelope and hash chain, and what is told from it."""
