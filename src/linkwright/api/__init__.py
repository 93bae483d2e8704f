"""The REST API: resources under /api/v1, which call the same services as the pages do."""
