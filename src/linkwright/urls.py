"""Every address of the server: the API's, and the pages'."""

from django.urls import include, path

from linkwright.web.urls import handler400, handler403, handler404, handler500
from linkwright.web.urls import urlpatterns as pages

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("api/v1/", include("linkwright.api.urls")), *pages]
