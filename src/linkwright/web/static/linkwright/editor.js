/* The editor of a match configuration: the form is laid out anew where a choice asks for other fields, and what was
   open stays open. Saving, adding and moving need no script. */
const form = () => document.getElementById("match-form");

function refresh(event) {
  if (!event.target.matches?.("#match-form [data-refresh]")) return;
  form().requestSubmit(document.getElementById("step-refresh"));
}

function openParts() {
  return [...document.querySelectorAll("#match-editor details[open]")].map((part) => part.id);
}

function keepOpen(event) {
  const editor = event.detail.target;
  if (editor?.id !== "match-editor") return;
  const fragment = document.createElement("template");
  fragment.innerHTML = event.detail.serverResponse;
  for (const id of openParts()) fragment.content.getElementById(id)?.setAttribute("open", "");
  const place = fragment.content.getElementById("match-editor")?.dataset.place.replaceAll(".", "-");
  /* the part that was added or moved, or the comparison that it is in */
  for (const part of fragment.content.querySelectorAll("details[id^='part-']")) {
    if (place && `part-${place}-`.startsWith(`${part.id}-`)) part.setAttribute("open", "");
  }
  event.detail.serverResponse = fragment.innerHTML;
}

function keepChangesOpen(event) {
  const before = document.getElementById(event.detail.target?.id)?.querySelector("#draft-changes");
  if (before?.open) event.detail.fragment.querySelector("#draft-changes")?.setAttribute("open", "");
}

export function startEditor() {
  if (!form()) return;
  document.addEventListener("change", refresh);
  document.body.addEventListener("htmx:beforeSwap", keepOpen);
  document.body.addEventListener("htmx:oobBeforeSwap", keepChangesOpen);
}
