"""One use case per file; pages, API and command line call these and nothing below them."""
