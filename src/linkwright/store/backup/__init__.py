"""The form of a backup: one folder, the same from SQLite and PostgreSQL, and what can be read of it.

    backup-YYYYMMDDTHHMMSSZ/
      manifest.json       written last: versions, tables, counts, checksums
      files.jsonl.gz      one line per file: name, size, SHA-256
      database/T.jsonl.gz one line per row of table T: the columns in the manifest's order
      files/...           files of the data folder, under their names there

Reads and writes folders and rows. When a backup is made, and what a restored one becomes, is decided elsewhere
(jobs/backup.py, services/restore_backup.py).
"""
