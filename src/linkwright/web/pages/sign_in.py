"""Sign in by password and sign out, with Django's own views; wrong passwords make one wait."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from linkwright.services.throttle_sign_in import WaitError, attempt_failed, attempt_succeeded, begin_attempt
from linkwright.web.pages.provider_sign_in import button_label, end_session_url


class SignInView(LoginView):
    """Django's view, with a count of what went wrong."""

    template_name = "web/pages/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        """Add the provider's button."""
        return {"provider_label": button_label(), **super().get_context_data(**given)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Look at a password only if nobody has to wait."""
        try:
            begin_attempt(self._name(), self._address())
        except WaitError as error:
            return self._told_to_wait(error)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Let them in."""
        attempt_succeeded(self._name(), self._address())
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Say that it was wrong, and how long to wait if one has to."""
        try:
            attempt_failed(self._name(), self._address())
        except WaitError as error:
            return self._told_to_wait(error)
        return super().form_invalid(form)

    def _told_to_wait(self, error: WaitError) -> HttpResponse:
        context = self.get_context_data(form=AuthenticationForm(self.request), wait=str(error), typed=self._name())
        response = self.render_to_response(context, status=HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(error.wait_s)
        return response

    def _name(self) -> str:
        return self.request.POST.get("username", "")[:150]

    def _address(self) -> str:
        return str(self.request.META.get("REMOTE_ADDR", ""))


class SignOutView(LogoutView):
    """Django's view; who came by a provider is signed out there, too."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """End the session; a page leads on, as no form may lead to another server."""
        url = end_session_url(request)
        if not url:
            return super().post(request, *args, **kwargs)
        logout(request)
        return render(request, "web/pages/sign_out_provider.html", {"url": url, "provider_label": button_label()})


sign_in = SignInView.as_view()
sign_out = SignOutView.as_view()
