"""The package format: manifest, safe zip, data file readers, builder. Knows no database and no queue."""
