/* Single keys for what operators do all day. Never while typing, never with Ctrl, Alt or Meta, and not at all when
   switched off (WCAG 2.1.4). A key presses what the page shows for it (data-key), so that it can do no more than
   a click; the selected row is the one that has the focus. */
import { announce } from "./announce.js";
import { setCookie } from "./theme.js";

const dialog = () => document.getElementById("keys");
let isOn = true, lastRowId = "", focusedBeforePoll = "";

const isTyping = (target) => Boolean(target.closest?.("input, select, textarea, [contenteditable]"));
const isShown = (element) => element.getClientRects().length > 0;
/* the panel of recent errors shows rows of the list once more */
const rows = () => [...document.querySelectorAll("main tr.row")].filter((row) => isShown(row) && !row.closest(".errors-frame"));
const siteSearch = () => document.getElementById("site-search");
const handle = (row) => row.querySelector("button:not([disabled]), a[href]");

function selectNeighbour(step) {
  const all = rows().filter(handle);
  const current = document.activeElement.closest?.("tr.row") || document.getElementById(lastRowId);
  const index = all.indexOf(current);
  const next = all[index < 0 ? (step > 0 ? 0 : all.length - 1) : index + step];
  if (!next) return;
  handle(next).focus();
  next.scrollIntoView({ block: "nearest" });
}

function toggleRow() {
  const row = document.activeElement.closest?.("tr.row") || document.getElementById(lastRowId);
  row?.querySelector("button[data-toggle]:not([disabled])")?.click();
}

function press(key) {
  if (key === "j") return selectNeighbour(1);
  if (key === "k") return selectNeighbour(-1);
  if (key === "o") return toggleRow();
  if (key === "s") return isShown(siteSearch()) ? siteSearch().focus() : document.querySelector(".site-search-link").click();
  if (key === "/") return document.querySelector("#filters input[type=search]")?.focus();
  const places = [...document.querySelectorAll(`[data-key="${key}"]`)];
  (places.find(isShown) || places[0])?.click();
}

function listen(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (!isOn || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (!"jko/s123pl?".includes(event.key)) return;
  if (event.repeat && !"jk".includes(event.key)) return;
  event.preventDefault();
  press(event.key);
}

/* A row that a poll has put elsewhere loses the focus on its way: it gets it back where it is now. */
function keepPlace() {
  const live = document.getElementById("live");
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.elt === live || event.detail.target === live) focusedBeforePoll = document.activeElement.id;
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === live && document.activeElement === document.body && focusedBeforePoll) {
      document.getElementById(focusedBeforePoll)?.focus({ preventScroll: true });
    }
    if (event.detail.elt === live) focusedBeforePoll = "";
  });
  document.addEventListener("focusin", (event) => {
    lastRowId = event.target.closest?.("tr.row")?.id || lastRowId;
  });
}

function startSwitch() {
  const button = document.getElementById("keys-switch");
  button.addEventListener("click", () => {
    isOn = !isOn;
    button.setAttribute("aria-checked", String(isOn));
    setCookie("keys", isOn ? "on" : "off");
    announce(isOn ? "Keyboard shortcuts are on." : "Keyboard shortcuts are off.");
  });
}

export function startKeys() {
  if (!dialog()) return;
  isOn = !/(?:^|; )keys=off/.test(document.cookie);
  const opener = document.getElementById("keys-open");
  opener.hidden = false;
  opener.addEventListener("click", () => {
    document.getElementById("person-menu").open = false;
    dialog().showModal();
  });
  dialog().addEventListener("click", (event) => {
    const resume = event.target.closest("#keys-pause") && document.getElementById("banner-resume");
    if (resume) {
      event.preventDefault();
      event.stopPropagation();
      dialog().close();
      resume.click();
    }
    const closes = event.target === dialog() || event.target.closest("[data-close-keys]");
    /* a key's own link: the dialog makes room for what it opens */
    if (closes || event.target.closest("a[data-dialog]")) dialog().close();
  });
  startSwitch();
  keepPlace();
  document.addEventListener("keydown", listen);
}
