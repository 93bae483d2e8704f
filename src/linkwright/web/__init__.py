"""Pages, partials and static files; one file per page. Calls services, holds no rule of its own."""
