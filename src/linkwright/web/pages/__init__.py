"""One file per page: reads the address, asks store and services, fills a template."""
