"""The only code that opens DuckDB and touches Parquet: batches, live views, run, limits."""
