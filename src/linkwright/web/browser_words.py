"""Says in two or three words which browser and system a user-agent text means: 'Firefox on Linux'. Pure.

For people who look for a session that is not theirs, not for decisions: whoever asks can send any text.
"""

import re

# the first that fits: browsers claim to be those before them
_BROWSERS = (
    (re.compile(r"\b(?:Edg|EdgA|EdgiOS)/"), "Edge"),
    (re.compile(r"\b(?:OPR|Opera)/"), "Opera"),
    (re.compile(r"\bSamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"\b(?:Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\bHeadlessChrome/"), "Headless Chrome"),
    (re.compile(r"\b(?:Chrome|Chromium|CriOS)/"), "Chrome"),
    (re.compile(r"\bVersion/[\d.]+ .*\bSafari/"), "Safari"),
    (re.compile(r"\b(?:MSIE |Trident/)"), "Internet Explorer"),
)
_SYSTEMS = (
    (re.compile(r"\bWindows\b"), "Windows"),
    (re.compile(r"\b(?:iPhone|iPod)\b"), "iPhone"),
    (re.compile(r"\biPad\b"), "iPad"),
    (re.compile(r"\bAndroid\b"), "Android"),
    (re.compile(r"\bCrOS\b"), "ChromeOS"),
    (re.compile(r"\bMac(?:intosh| OS)"), "macOS"),
    (re.compile(r"\bLinux\b"), "Linux"),
)
# what is no browser names itself first, as 'curl/8.5.0'
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}(?=/|$)")
NOT_KNOWN = "another browser"


def browser_words(user_agent: str) -> str:
    """Return what a user-agent text means: 'Chrome on Android', 'curl', 'another browser'; '' for no text."""
    if not user_agent.strip():
        return ""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if not browser:
        program = _PROGRAM.match(user_agent)
        browser = program.group() if program and program.group() != "Mozilla" else NOT_KNOWN
    return f"{browser} on {system}" if system else browser


def _first(known: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str:
    return next((words for pattern, words in known if pattern.search(text)), "")
