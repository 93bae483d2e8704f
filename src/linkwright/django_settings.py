"""Django's settings, worked out from the process configuration. Holds no rule of the product.

What operators change while the server runs are Settings in the database (store/settings.py).
"""

from typing import Any

import dj_database_url

from linkwright.config import DatabaseUrlError, database_url_text, load_config, read_secret_key

CONFIG = load_config()

SECRET_KEY = read_secret_key(CONFIG)
DEBUG = False
ALLOWED_HOSTS = list(CONFIG.allowed_hosts)
ROOT_URLCONF = "linkwright.urls"
WSGI_APPLICATION = "linkwright.web.wsgi.application"
AUTH_USER_MODEL = "store.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "linkwright.store",
    "linkwright.web",
]

MIDDLEWARE = [
    "linkwright.api.boundary.ApiBoundaryMiddleware",
    "linkwright.web.security.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "linkwright.web.one_look.OneLookMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "linkwright.web.session_limits.SessionLimitsMiddleware",
    "linkwright.web.security.OddAddressMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "linkwright.web.frame.frame_context",
            ],
        },
    },
]

SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the writer's place at BEGIN: two claims can never both read 'queued'.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # FULL: a committed job end survives a power cut. secure_delete: what is blanked is gone from the file.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA secure_delete=ON;",
}
# A page asks twenty small things, always the same ones: a session reads each of them once, not once a page. But it
# plans what has values each time: a plan for any value walks a million jobs to the one that runs (decision 34).
POSTGRES_OPTIONS: dict[str, Any] = {
    "server_side_binding": True,
    "prepare_threshold": 3,
    "options": "-c plan_cache_mode=force_custom_plan",
}

try:
    DATABASES: dict[str, dict[str, Any]] = {"default": dict(dj_database_url.parse(CONFIG.database_url))}
except (ValueError, KeyError) as error:
    raise DatabaseUrlError(database_url_text(CONFIG)) from error
if DATABASES["default"]["ENGINE"] not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
    raise DatabaseUrlError(database_url_text(CONFIG))
# Opening a database anew for each request costs more than most requests.
DATABASES["default"]["CONN_MAX_AGE"] = None
if CONFIG.uses_sqlite:
    # A file, as in production: threads and processes of a test see the same tables.
    DATABASES["default"]["TEST"] = {"NAME": str(CONFIG.home / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {**SQLITE_OPTIONS}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # What the address says itself (sslmode, for instance) stays.
    DATABASES["default"]["OPTIONS"] = {**POSTGRES_OPTIONS, **DATABASES["default"].get("OPTIONS", {})}

SESSION_ENGINE = "linkwright.web.sign_in_sessions"
AUTHENTICATION_BACKENDS = ["linkwright.web.sign_in_sessions.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
]
CSRF_FAILURE_VIEW = "linkwright.web.pages.errors.csrf_failure"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "envelopes"
LOGOUT_REDIRECT_URL = "sign-in"

STATIC_URL = "static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

FILE_UPLOAD_TEMP_DIR = str(CONFIG.scratch_folder) if CONFIG.scratch_folder.is_dir() else None
# The editor of a match configuration sends some five fields for each level of comparison.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# Envelopes go to disk as they arrive, never into memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.https
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
