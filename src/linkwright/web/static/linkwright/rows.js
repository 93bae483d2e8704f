/* Opens and closes rows. What is open stands in the address, so that a reload and a shared link keep it. */
const FAILED = "This did not arrive: the server did not answer, or refused. Close the row, and open it once more.";
const openRows = () => (new URLSearchParams(location.search).get("open") || "").split(".").filter(Boolean);

function rememberRow(row, isOpen) {
  const rows = openRows().filter((name) => name !== row);
  if (isOpen) rows.push(row);
  const query = new URLSearchParams(location.search);
  rows.length ? query.set("open", rows.join(".")) : query.delete("open");
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
}

async function toggle(button) {
  const into = document.getElementById(button.dataset.into);
  const isOpen = button.getAttribute("aria-expanded") !== "true";
  const id = button.id;
  rememberRow(button.value, isOpen);
  if (!isOpen) {
    button.setAttribute("aria-expanded", "false");
    into.parentElement.hidden = true;
    into.replaceChildren();
    return;
  }
  button.setAttribute("aria-busy", "true");
  try {
    /* htmx asks once at a time for one source: without it, two rows opened in a hurry would wait for each other */
    await htmx.ajax("GET", button.dataset.toggle + location.search, { source: into, target: into, swap: "innerHTML" });
  } catch {
    /* told below, as is an answer that was refused */
  }
  if (!into.hasChildNodes()) into.textContent = FAILED;
  into.parentElement.hidden = false;
  /* a poll may have replaced the row meanwhile */
  const present = document.getElementById(id);
  present?.removeAttribute("aria-busy");
  present?.setAttribute("aria-expanded", "true");
}

export function startRows() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-toggle]");
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-busy") !== "true") toggle(button);
  });
}
