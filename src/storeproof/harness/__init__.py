"""Authors of contracts, laws and backends import from here (or, shorter, from `storeproof`)."""
