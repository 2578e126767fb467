"""Every SQL statement of the project, by noun.

Functions take the store for a read or a transaction for a write, and return rows: mappings by column name.
"""
