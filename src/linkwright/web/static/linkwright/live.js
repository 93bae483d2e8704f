/* Keeps the page up to date: asks every two seconds while something is active, little less often otherwise, never
   in a hidden tab, and not at all when switched off. The server answers 304, or with the pieces that changed. */
import { announce } from "./announce.js";
import { setCookie } from "./theme.js";

const ACTIVE_MS = 2000, IDLE_MS = 2500, LOST_MS = 5000;
const element = () => document.getElementById("live");
let timer = 0, isOn = true, isLost = false, isAsking = false;

const shownPieces = () =>
  [...document.querySelectorAll("[data-version]")].map((piece) => `${piece.id}~${piece.dataset.version}`).join(",");

function schedule() {
  clearTimeout(timer);
  if (!isOn || document.hidden) return;
  const wait = isLost ? LOST_MS : element().dataset.active === "1" ? ACTIVE_MS : IDLE_MS;
  timer = setTimeout(pollNow, wait);
}

export function pollNow() {
  clearTimeout(timer);
  if (!element() || isAsking) return;
  isAsking = true;
  htmx.trigger(element(), "linkwright:poll");
}

function markLost(lost) {
  isLost = lost;
  const button = document.getElementById("live-switch");
  if (!button) return;
  button.dataset.lost = lost;
  button.title = lost ? "The server does not answer; trying again" : "Keep this page up to date by itself";
}

function prepare(event) {
  if (event.detail.elt !== element()) return;
  const [path, fixed] = element().getAttribute("hx-get").split("?");
  const query = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(fixed)) query.set(name, value);
  query.set("shown", shownPieces());
  event.detail.path = `${path}?${query}`;
  if (element().dataset.token) event.detail.headers["If-None-Match"] = `"${element().dataset.token}"`;
}

function finish(event) {
  if (event.detail.elt !== element()) return;
  isAsking = false;
  const xhr = event.detail.xhr;
  /* the session ended: the answer is the sign-in page */
  if (xhr.responseURL && !new URL(xhr.responseURL).pathname.endsWith("/live/")) return location.reload();
  markLost(!(xhr.status === 200 || xhr.status === 304));
  const token = xhr.getResponseHeader("ETag");
  if (token) element().dataset.token = token.replace(/^W\//, "").replaceAll('"', "");
  const active = xhr.getResponseHeader("Linkwright-Active");
  if (active) element().dataset.active = active;
  schedule();
}

function tellChange(event) {
  const before = event.detail.target?.dataset?.announce || "";
  const after = event.detail.fragment?.firstElementChild?.dataset?.announce || "";
  if (after && after !== before) announce(after);
}

function startSwitch() {
  const button = document.getElementById("live-switch");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    isOn = !isOn;
    button.setAttribute("aria-checked", String(isOn));
    setCookie("live", isOn ? "on" : "off");
    isOn ? pollNow() : clearTimeout(timer);
  });
}

export function startLive() {
  if (!element()) return;
  isOn = !/(?:^|; )live=off/.test(document.cookie);
  document.body.addEventListener("htmx:configRequest", prepare);
  document.body.addEventListener("htmx:afterRequest", finish);
  document.body.addEventListener("htmx:oobBeforeSwap", tellChange);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : isOn && pollNow()));
  startSwitch();
  schedule();
}
