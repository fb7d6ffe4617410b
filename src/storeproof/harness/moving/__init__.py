"""Checks move a contract's content from storage to storage through this package."""
