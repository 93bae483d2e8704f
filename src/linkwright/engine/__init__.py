"""Pure linkage: values in, values or SQL text out. Knows no Django, no files and no queue."""
