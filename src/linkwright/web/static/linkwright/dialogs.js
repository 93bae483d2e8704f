/* Links marked data-dialog open in the page's one <dialog>; its form is sent without leaving the page. */
import { announce } from "./announce.js";
import { pollNow } from "./live.js";

const dialog = () => document.getElementById("dialog");
const content = () => document.getElementById("dialog-content");
const here = () => location.pathname + location.search;
let openerId = "";

export function flash(level, text) {
  const box = document.createElement("div");
  box.className = `flash flash-${level}`;
  box.innerHTML =
    `<svg class="icon" aria-hidden="true"><use href="#i-${level}"/></svg><div><p></p></div>` +
    '<button class="icon-button" type="button" data-dismiss aria-label="Dismiss this message" title="Dismiss">' +
    '<svg class="icon" aria-hidden="true"><use href="#i-close"/></svg></button>';
  box.querySelector("p").textContent = text;
  document.getElementById("flashes").replaceChildren(box);
  announce(text);
}

async function open(link) {
  openerId = link.id;
  const url = new URL(link.href);
  url.searchParams.set("next", here());
  content().replaceChildren();
  await htmx.ajax("GET", url.pathname + url.search, { source: content(), target: content(), swap: "innerHTML" });
  if (!content().childElementCount) return;
  const scroll = content().querySelector(".dialog-scroll");
  dialog().toggleAttribute("data-wide", Boolean(scroll));
  dialog().showModal();
  if (scroll) scroll.scrollTop = scroll.querySelector(".messages") ? scroll.scrollHeight : 0;
}

async function send(form) {
  const values = Object.fromEntries(new FormData(form));
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const places = { source: content(), target: content(), swap: "innerHTML" };
  await htmx.ajax("POST", form.getAttribute("action"), { ...places, values });
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

export function startDialogs() {
  if (!dialog()) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      open(link);
    }
    if (event.target.closest("#dialog [data-close]") || event.target === dialog()) {
      event.preventDefault();
      dialog().close();
    }
  });
  dialog().addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target);
  });
  dialog().addEventListener("close", () => {
    content().replaceChildren();
    /* the browser gives the focus back, unless a poll has replaced the opener */
    if (openerId && document.activeElement === document.body) document.getElementById(openerId)?.focus();
  });
  document.body.addEventListener("linkwright:done", (event) => {
    dialog().close();
    flash("success", event.detail.message);
    pollNow();
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    const isText = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    if (event.detail.elt.id !== "live") {
      dialog().close();
      flash("error", isText ? xhr.responseText : `The server answered ${xhr.status}. Reload the page and try again.`);
    }
  });
}
